"""Training that goes on: the network in a fitted model, and what stays around it."""

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._segment_aggregation import SegmentAggregationClassifier

__all__ = ["ends_in_network", "go_on", "no_network"]


def go_on(model: Any, *, keep_statistics: bool) -> tuple[Any, NeuralClassifier]:
    """Return a fitted model, changed so that ``fit`` goes on, and the network in it."""
    again = {"keep_statistics": keep_statistics}
    if isinstance(model, FrozenEstimator):
        return go_on(model.estimator, **again)
    if hasattr(model, "network_"):  # a FineTuneClassifier
        return go_on(model.estimator_, **again)
    if hasattr(model, "best_estimator_"):
        return go_on(model.best_estimator_, **again)
    if isinstance(model, Pipeline):
        *before, (name, last) = model.steps
        last, network = go_on(last, **again)
        if keep_statistics:
            before = [(name, _keep(step)) for name, step in before]
        model.steps = [*before, (name, last)]
        return model, network
    if isinstance(model, NeuralClassifier):
        return model.set_params(warm_start=True), model
    if isinstance(model, SegmentAggregationClassifier):
        model.estimator_, network = go_on(model.estimator_, **again)
        return model.set_params(warm_start=True), network
    raise no_network(model)


def ends_in_network(model: Any) -> bool:
    """Say whether a model, fitted or not, has a network at its end."""
    if isinstance(model, Pipeline):
        return ends_in_network(model.steps[-1][1])
    if isinstance(model, NeuralClassifier):
        return True
    return hasattr(model, "estimator") and ends_in_network(model.estimator)


def no_network(model: Any) -> TypeError:
    """Return the error to raise of a model that has none."""
    return TypeError(
        f"there is no network to tune in {type(model).__name__}: FineTuneClassifier takes a "
        "NeuralClassifier, a Pipeline that ends in one, a SegmentAggregationClassifier of these, "
        "or a search over them"
    )


class _Kept(FrozenEstimator):
    """A fitted transformer, which still gets the metadata that it asks for."""

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self.estimator)


def _keep(step: Any) -> Any:
    """Return a step whose ``fit`` changes nothing; samplers have to act on what is new."""
    return _Kept(step) if hasattr(step, "transform") else step
