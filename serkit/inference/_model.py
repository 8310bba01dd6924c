"""What a fitted model takes and gives, whatever it is made of."""

import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction import CachedTransformer
from serkit.neural_network import NeuralClassifier, SegmentAggregationClassifier
from serkit.preprocessing import AudioLoader
from serkit.utils import last_step, up_to_last_step

__all__ = ["FittedModel", "Scores"]

#: Where estimators keep what is inside them, fitted before not fitted.
_INNER = ("best_estimator_", "estimator_", "transformer_", "estimator", "transformer")


class Scores(NamedTuple):
    """Predictions, and for classifiers a number for every class."""

    predictions: np.ndarray
    of_classes: np.ndarray | None


@dataclass(frozen=True)
class FittedModel:
    """A fitted classifier or regressor of utterances.

    Parameters
    ----------
    estimator : estimator
        The model.
    """

    estimator: Any

    @classmethod
    def of(cls, model: Any, *, use_cache: bool) -> "FittedModel":
        """Take a model, whose caches are left alone unless they are to be used."""
        if not hasattr(model, "predict"):
            raise TypeError(
                f"{type(model).__name__} predicts nothing: give a fitted classifier or regressor, "
                "or a pipeline that ends in one"
            )
        check_is_fitted(model)
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        return cls(model if use_cache else _without_cache(model))

    @property
    def loader(self) -> AudioLoader | None:
        """The step that reads files, if the model begins with it."""
        first = _first_step(self.estimator)
        return first if isinstance(first, AudioLoader) else None

    @property
    def sampling_rate(self) -> int | None:
        """Sampling rate of the waveforms that the model takes; ``None`` if no step tells."""
        return _sampling_rate(self.estimator)

    @property
    def known_rate(self) -> int:
        """The sampling rate, which has to be known where files are read for the model."""
        if self.sampling_rate is None:
            raise ValueError(
                "no step of the model tells which sampling_rate it takes, so files cannot be read "
                "for it: put an AudioLoader before its steps when it is trained"
            )
        return self.sampling_rate

    @property
    def rate_of_windows(self) -> int:
        """The sampling rate at which windows are counted; none of a loader that would move them."""
        loader = self.loader
        if loader is None:
            return self.known_rate
        if loader.sampling_rate is None:
            raise ValueError(
                "the AudioLoader of the model has sampling_rate=None, so a number of samples is no "
                "duration; set it to the rate of the files"
            )
        if loader.start or loader.end is not None or loader.min_duration:
            raise ValueError(
                "the AudioLoader of the model has start, end or min_duration, which would change "
                "every window; set them back, or classify whole files"
            )
        return loader.sampling_rate

    @property
    def classes(self) -> np.ndarray | None:
        """The classes of a classifier."""
        return np.asarray(self.estimator.classes_) if is_classifier(self.estimator) else None

    @property
    def score_method(self) -> str | None:
        """What gives a number for every class: "predict_proba" or "decision_function"."""
        if self.classes is None:
            return None
        methods = ("predict_proba", "decision_function")
        return next((name for name in methods if hasattr(self.estimator, name)), None)

    def predict(self, X: Any) -> Scores:
        """Return predictions; the steps before the last one run once."""
        last, method = last_step(self.estimator), self.score_method
        X = up_to_last_step(self.estimator, X)
        if method is None:
            return Scores(np.asarray(last.predict(X)), None)
        values = np.asarray(getattr(last, method)(X), dtype=np.float64)
        if values.ndim == 1:
            values = np.column_stack([-values, values])
        if isinstance(last, NeuralClassifier) and type(last).predict is NeuralClassifier.predict:
            return Scores(last.classes_[values.argmax(axis=1)], values)
        return Scores(np.asarray(last.predict(X)), values)


def _without_cache(estimator: Any) -> Any:
    """Return a model of the same fitted parts, whose caches are neither read nor filled."""
    if isinstance(estimator, Pipeline):
        steps = [(name, _without_cache(step)) for name, step in estimator.steps]
        return _changed(estimator, steps=steps)
    if isinstance(estimator, FeatureUnion):
        parts = [(name, _without_cache(part)) for name, part in estimator.transformer_list]
        return _changed(estimator, transformer_list=parts)
    if isinstance(estimator, CachedTransformer):
        return _changed(estimator, location=None)
    inner = {name: part for name, part in _attributes(estimator).items() if name in _INNER}
    inner = {name: part for name, part in inner.items() if hasattr(part, "get_params")}
    return _changed(estimator, **{name: _without_cache(part) for name, part in inner.items()})


def _attributes(estimator: Any) -> dict[str, Any]:
    # Not those that a frozen estimator finds in what it holds.
    return getattr(estimator, "__dict__", {})


def _changed(estimator: Any, /, **attributes: Any) -> Any:
    if not attributes:
        return estimator
    changed = copy.copy(estimator)
    vars(changed).update(attributes)
    return changed


def _first_step(estimator: Any) -> Any:
    if isinstance(estimator, Pipeline) and len(estimator):
        return _first_step(estimator.steps[0][1])
    if isinstance(estimator, FeatureUnion) and estimator.transformer_list:
        return _first_step(estimator.transformer_list[0][1])
    if isinstance(estimator, SegmentAggregationClassifier):
        return estimator  # it cuts waveforms, so nothing in it reads files
    if isinstance(estimator, CachedTransformer | FrozenEstimator):
        attributes = _attributes(estimator)
        return _first_step(next(attributes[name] for name in _INNER if name in attributes))
    return estimator


def _sampling_rate(estimator: Any) -> int | None:
    if isinstance(estimator, Pipeline):
        rates = (_sampling_rate(step) for _, step in estimator.steps)
        return next((rate for rate in rates if rate is not None), None)
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    rates = (rate for name, rate in params.items() if name.rpartition("__")[2] == "sampling_rate")
    return next((rate for rate in rates if rate is not None), None)
