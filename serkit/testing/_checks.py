"""What every estimator of serkit promises beyond scikit-learn's own checks.

Each check takes the name of an estimator and an unfitted instance, and raises
``AssertionError`` when the promise is broken.
"""

import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

from serkit.pipeline import Pipeline
from serkit.testing._inputs import input_kind, make_input, one_by_one
from serkit.testing._recorder import RecordingClassifier
from serkit.utils import SignalWarning, as_ragged, is_ragged

__all__ = ["yield_checks"]


def yield_checks(estimator: Any) -> Iterator[Callable[[str, Any], None]]:
    """Yield the checks that apply to an estimator.

    Parameters
    ----------
    estimator : estimator
        An unfitted instance.

    Yields
    ------
    check : callable
        Takes a name and an unfitted estimator.
    """
    if hasattr(estimator, "fit_resample"):
        yield check_real_rows_come_first
        yield check_speakers_stay_aligned
        return
    yield check_pickled_copy_is_equal
    yield check_same_seed_is_equal
    yield check_input_is_not_changed
    if hasattr(estimator, "transform"):
        yield check_set_output_is_accepted
    if is_classifier(estimator):
        yield check_string_labels
        yield check_one_class_is_refused
    if input_kind(estimator) == "functionals":
        return
    yield check_one_by_one_is_equal
    yield check_other_lengths_are_taken
    yield check_bad_rows_are_named
    yield check_silence_is_finite
    if hasattr(estimator, "transform"):
        yield check_container_is_kept
        if "n_jobs" in estimator.get_params():
            yield check_n_jobs_is_equal
        if not get_tags(estimator).requires_fit:
            yield check_stateless_needs_no_fit
    if input_kind(estimator) == "frames":
        yield check_two_axes_equal_three
    else:
        yield check_integers_are_scaled


def _quietly(method: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a method whose warnings about the signals made here are expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SignalWarning)
        warnings.filterwarnings("ignore", ".* are read as frames of one bin", UserWarning)
        return method(*args, **kwargs)


def _fit(estimator: Any, X: Any, y: Any = None) -> Any:
    if y is None:
        y = np.arange(len(X)) % 2
    return _quietly(clone(estimator).fit, X, y)


def _output(estimator: Any, X: Any) -> Any:
    return _quietly(_call, estimator, X)


def _call(estimator: Any, X: Any) -> Any:
    for method in ("transform", "predict_proba", "decision_function", "predict"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(X)
    if hasattr(estimator, "sample"):
        return estimator.sample(len(X))[0]
    raise AssertionError("the estimator has neither transform nor predict nor sample")


def _assert_equal(left: Any, right: Any, *, rtol: float = 1e-6, atol: float = 1e-6) -> None:
    assert len(left) == len(right)
    assert is_ragged(left) == is_ragged(right)
    if not is_ragged(left):
        left, right = np.asarray(left), np.asarray(right)
        assert left.shape == right.shape
        if left.dtype.kind in "OUS":
            assert (left == right).all()
            return
        left, right = [left], [right]
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def check_pickled_copy_is_equal(name: str, estimator: Any) -> None:
    """A pickled copy of the fitted estimator gives the same values."""
    X = make_input(estimator)
    fitted = _fit(estimator, X)
    _assert_equal(_output(pickle.loads(pickle.dumps(fitted)), X), _output(fitted, X))


def check_same_seed_is_equal(name: str, estimator: Any) -> None:
    """Two fits with one seed give the same values, whatever the global seed."""
    X = make_input(estimator)
    if "random_state" in estimator.get_params():
        estimator = clone(estimator).set_params(random_state=0)
    outputs = []
    for seed in (1, 2):
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        outputs.append(_output(_fit(estimator, X), X))
        np.random.set_state(state)  # noqa: NPY002
    _assert_equal(*outputs)


def check_input_is_not_changed(name: str, estimator: Any) -> None:
    """Neither fit nor transform writes into X."""
    X = make_input(estimator)
    before = pickle.loads(pickle.dumps(X))
    _output(_fit(estimator, X), X)
    _assert_equal(X, before, rtol=0, atol=0)


def check_set_output_is_accepted(name: str, estimator: Any) -> None:
    """Functionals become a data frame with named columns; the rest stays an array."""
    X = make_input(estimator)
    fitted = _fit(estimator, X)
    default = _output(fitted, X)
    if hasattr(default, "columns"):
        default = default.to_numpy()
    frame = _output(fitted.set_output(transform="pandas"), X)
    if hasattr(fitted, "get_feature_names_out"):
        assert list(frame.columns) == list(fitted.get_feature_names_out())
        _assert_equal(frame.to_numpy(), default)
    else:
        assert isinstance(frame, np.ndarray)
        _assert_equal(frame, default)


def check_string_labels(name: str, estimator: Any) -> None:
    """Labels are given back as they came."""
    X = make_input(estimator)
    y = np.where(np.arange(len(X)) % 2, "anger", "sadness").astype(object)
    fitted = _fit(estimator, X, y)
    assert list(fitted.classes_) == ["anger", "sadness"]
    assert set(_quietly(fitted.predict, X)) <= {"anger", "sadness"}


def check_one_class_is_refused(name: str, estimator: Any) -> None:
    """A single class is an error that says so, or is predicted always."""
    X = make_input(estimator)
    y = np.full(len(X), "anger", dtype=object)
    try:
        fitted = _fit(estimator, X, y)
    except ValueError as error:
        assert "class" in str(error), f"the message does not speak of classes: {error}"
    else:
        assert set(_quietly(fitted.predict, X)) == {"anger"}


def check_one_by_one_is_equal(name: str, estimator: Any) -> None:
    """An utterance gives the same values alone and among others."""
    X = make_input(estimator, ragged=True)
    fitted = _fit(estimator, X)
    _assert_equal(one_by_one(partial(_output, fitted), X), _output(fitted, X))


def check_other_lengths_are_taken(name: str, estimator: Any) -> None:
    """An estimator fitted on clips of one length takes clips of another."""
    fitted = _fit(estimator, make_input(estimator, ragged=True, length=1.0))
    for length in (0.6, 1.7):
        X = make_input(estimator, ragged=True, length=length)
        assert len(_output(fitted, X)) == len(X)


def check_container_is_kept(name: str, estimator: Any) -> None:
    """Ragged input comes out ragged and numeric input numeric; functionals are numeric."""
    ragged = make_input(estimator, ragged=True, equal_lengths=True)
    numeric = np.stack(list(ragged))
    out_ragged = _output(_fit(estimator, ragged), ragged)
    out_numeric = _output(_fit(estimator, numeric), numeric)
    assert not is_ragged(out_numeric)
    out_list = _output(_fit(estimator, list(ragged)), list(ragged))
    _assert_equal(out_list, out_ragged)
    if hasattr(estimator, "get_feature_names_out"):
        assert out_ragged.ndim == 2, "functionals are a numeric 2-D array"
    else:
        assert out_ragged.shape == (len(ragged),)
        assert out_ragged.dtype == object


def check_n_jobs_is_equal(name: str, estimator: Any) -> None:
    """Parallel work gives the same values."""
    X = make_input(estimator, ragged=True)
    fitted = _fit(estimator, X)
    sequential = _output(fitted, X)
    _assert_equal(_output(fitted.set_params(n_jobs=2), X), sequential, rtol=0, atol=0)


def check_stateless_needs_no_fit(name: str, estimator: Any) -> None:
    """What learns nothing transforms without fit, whatever it was fitted on."""
    X = make_input(estimator, ragged=True)
    other = make_input(estimator, ragged=True, seed=1)
    _assert_equal(_output(clone(estimator), X), _output(_fit(estimator, other), X), rtol=0, atol=0)


def check_bad_rows_are_named(name: str, estimator: Any) -> None:
    """NaN, infinity and empty signals are errors that name the utterance."""
    X = list(make_input(estimator, ragged=True))
    fitted = _fit(estimator, as_ragged(X))
    poisoned = {"NaN": np.nan, "infinity": np.inf, "empty": None}
    for what, value in poisoned.items():
        bad = X[2].copy()
        if value is None:
            bad = bad[..., :0]
        else:
            bad[..., 0] = value
        rows = as_ragged([*X[:2], bad, *X[3:]])
        for method in (partial(_fit, estimator), partial(_output, fitted)):
            try:
                method(rows)
            except ValueError as error:
                assert "utterance 2" in str(error), f"{what}: the row is not named: {error}"
            else:
                raise AssertionError(f"{what} in utterance 2 was accepted")


def check_silence_is_finite(name: str, estimator: Any) -> None:
    """A silent utterance is named, gives finite values and leaves the others as they are."""
    X = list(make_input(estimator, ragged=True))
    fitted = _fit(estimator, as_ragged(X))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with_silence = _call(fitted, as_ragged([X[0], np.zeros_like(X[1]), X[2]]))
    if input_kind(estimator) == "audio":
        messages = [str(w.message) for w in caught if issubclass(w.category, SignalWarning)]
        assert any("utterance 1" in message for message in messages), "silence is not named"
    if np.asarray(with_silence[1]).dtype.kind == "f":
        assert np.isfinite(with_silence[1]).all()
    plain = _output(fitted, as_ragged(X[:3]))
    for row in (0, 2):
        _assert_equal(with_silence[row : row + 1], plain[row : row + 1])


def check_two_axes_equal_three(name: str, estimator: Any) -> None:
    """Frames of one channel are equal as 3-D and 4-D arrays; of one bin, as 2-D too."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(8, 12))).astype(np.float32)
    two = _output(_fit(estimator, X), X)
    three = _output(_fit(estimator, X[:, None]), X[:, None])
    four = _output(_fit(estimator, X[:, None, None]), X[:, None, None])
    for wide in (three, four):
        np.testing.assert_allclose(
            np.asarray(two).reshape(len(X), -1), np.asarray(wide).reshape(len(X), -1), rtol=1e-6
        )


def check_integers_are_scaled(name: str, estimator: Any) -> None:
    """16-bit samples are read as fractions of 32768, ragged and numeric alike."""
    X = make_input(estimator, ragged=True, equal_lengths=True)
    integers = [np.round(waveform * 32767).astype(np.int16) for waveform in X]
    scaled = [waveform / np.float32(32768) for waveform in integers]
    fitted = _fit(estimator, as_ragged(scaled))
    expected = _output(fitted, as_ragged(scaled))
    _assert_equal(_output(fitted, as_ragged(integers)), expected, rtol=1e-5, atol=1e-5)
    numeric = _output(_fit(estimator, np.stack(integers)), np.stack(integers))
    for row, values in zip(numeric, expected, strict=True):
        values = np.asarray(values)
        np.testing.assert_allclose(row[..., : values.shape[-1]], values, rtol=1e-3, atol=1e-3)


def check_real_rows_come_first(name: str, sampler: Any) -> None:
    """A sampler gives back the real rows first and untouched."""
    X, y, _ = _unbalanced()
    X_resampled, y_resampled = clone(sampler).fit_resample(X, y)
    np.testing.assert_array_equal(X_resampled[: len(X)], X)
    np.testing.assert_array_equal(y_resampled[: len(y)], y)
    assert len(X_resampled) == len(y_resampled)


def check_speakers_stay_aligned(name: str, sampler: Any) -> None:
    """Behind a sampler in a Pipeline, each real row keeps its speaker and weight."""
    X, y, speakers = _unbalanced()
    weights = np.arange(len(X), dtype=float) + 1
    pipeline = Pipeline([("sampler", clone(sampler)), ("classifier", RecordingClassifier())])
    pipeline.fit(X, y, classifier__speakers=speakers, classifier__sample_weight=weights)
    recorded = pipeline[-1]
    assert len(recorded.X_) == len(recorded.speakers_) == len(recorded.sample_weight_)
    origins = getattr(pipeline[0], "sample_indices_", None)
    for place, (row, speaker, weight) in enumerate(
        zip(recorded.X_, recorded.speakers_, recorded.sample_weight_, strict=True)
    ):
        origin = np.flatnonzero((X == row).all(axis=1))
        if not len(origin) and origins is not None:  # a changed copy
            origin = origins[place : place + 1]
        if speaker is None:
            assert weight == 1
        else:
            assert speaker in speakers[origin]
            assert weight in weights[origin]


def _unbalanced() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["anger"] * 20 + ["sadness"] * 8)
    X = rng.normal(size=(len(y), 3)) + (y == "anger")[:, None]
    speakers = np.array([f"{i % 4:02d}" for i in range(len(y))], dtype=object)
    return X, y, speakers
