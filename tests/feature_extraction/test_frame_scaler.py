import tracemalloc

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from serkit.feature_extraction import FrameScaler
from serkit.utils import as_ragged


@pytest.fixture
def utterances():
    rng = np.random.default_rng(0)
    offset = 100 * np.arange(6).reshape(2, 3, 1)
    return as_ragged(
        [(offset + rng.normal(size=(2, 3, n))).astype(np.float32) for n in (4, 1, 90, 17)]
    )


def test_corpus_statistics_are_over_all_frames(utterances):
    scaler = FrameScaler().fit(utterances)
    together = np.concatenate(list(utterances), axis=-1).astype(np.float64)
    np.testing.assert_allclose(scaler.mean_, together.mean(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(scaler.scale_, together.std(axis=-1), rtol=1e-10)
    scaled = np.concatenate(list(scaler.transform(utterances)), axis=-1)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=-1), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=-1), 1, atol=1e-4)


def test_float32_sums_would_not_do():
    """A large offset and many frames: the accumulators are float64."""
    rng = np.random.default_rng(0)
    frames = (3000 + rng.normal(size=(1, 1, 200_000))).astype(np.float32)
    scaler = FrameScaler().fit(as_ragged(np.array_split(frames, 7, axis=-1)))
    np.testing.assert_allclose(scaler.scale_, frames.astype(np.float64).std(), rtol=1e-9)


def test_utterance_scope_needs_no_fit(utterances):
    scaled = FrameScaler(scope="utterance").transform(utterances)
    for frames in scaled:
        np.testing.assert_allclose(frames.mean(axis=-1), 0, atol=1e-4)
    np.testing.assert_allclose(scaled[2].std(axis=-1), 1, atol=1e-4)
    assert not scaled[1].any(), "a single frame is its own mean"
    assert not get_tags(FrameScaler(scope="utterance")).requires_fit
    assert get_tags(FrameScaler()).requires_fit
    with pytest.raises(NotFittedError):
        FrameScaler().transform(utterances)


@pytest.mark.parametrize("scope", ["corpus", "utterance"])
def test_a_bin_that_does_not_vary_stays_finite(scope):
    frames = np.full((1, 2, 1000), 0.1, dtype=np.float32)
    frames[0, 1, ::2] = 3
    scaled = FrameScaler(scope).fit_transform([frames])[0][0]
    assert np.abs(scaled[0]).max() < 1e-6
    np.testing.assert_allclose(scaled[1].std(), 1, rtol=1e-4)


def test_parts_can_be_switched_off(utterances):
    only_mean = FrameScaler(with_std=False).fit(utterances)
    assert only_mean.scale_ is None
    np.testing.assert_allclose(
        only_mean.transform(utterances)[0], utterances[0] - only_mean.mean_[..., None], atol=1e-4
    )
    only_std = FrameScaler(with_mean=False).fit(utterances)
    assert only_std.mean_ is None
    np.testing.assert_allclose(
        only_std.transform(utterances)[0], utterances[0] / only_std.scale_[..., None], rtol=1e-5
    )


def test_other_bins_are_refused(utterances):
    scaler = FrameScaler().fit(utterances)
    with pytest.raises(ValueError, match="2 channels and 2 bins, but 2 and 3 are expected"):
        scaler.transform([utterances[0][:, :2]])


def test_fit_holds_no_copy_of_the_corpus():
    utterances = as_ragged(np.random.default_rng(0).normal(size=(64, 1, 40, 500)).astype("f4"))
    tracemalloc.start()
    FrameScaler().fit(utterances)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < sum(frames.nbytes for frames in utterances) / 4


def test_all_bins_can_share_one_mean_and_deviation(utterances):
    scaler = FrameScaler(per="all").fit(utterances)
    values = np.concatenate([frames.ravel() for frames in utterances]).astype(np.float64)
    assert scaler.mean_.shape == scaler.scale_.shape == (1, 1)
    np.testing.assert_allclose(scaler.mean_, values.mean(), rtol=1e-12)
    np.testing.assert_allclose(scaler.scale_, values.std(), rtol=1e-12)
    np.testing.assert_allclose(
        scaler.transform(utterances)[0], (utterances[0] - values.mean()) / values.std(), atol=1e-5
    )


def test_an_utterance_can_have_one_mean_and_deviation(utterances):
    for frames in FrameScaler(scope="utterance", per="all").transform(utterances):
        np.testing.assert_allclose([frames.mean(), frames.std()], [0, 1], atol=1e-5)


@pytest.mark.parametrize("per", ["bin", "all"])
def test_division_by_the_largest_magnitude(utterances, per):
    utterances[1][0, 0] = -1000
    scaler = FrameScaler(method="max", per=per).fit(utterances)
    together = np.concatenate(list(utterances), axis=-1)
    largest = np.abs(together).max(axis=-1 if per == "bin" else None)
    assert scaler.mean_ is None
    np.testing.assert_array_equal(scaler.scale_, np.atleast_2d(largest))
    scaled = scaler.transform(utterances)
    assert min(frames.min() for frames in scaled) == -1
    np.testing.assert_allclose(
        scaled[2], utterances[2] / np.atleast_2d(largest)[..., None], rtol=1e-6
    )


def test_what_is_larger_than_in_fit_is_cut_off_on_request():
    loud, louder = (np.full((1, 2, 3), level, dtype=np.float32) for level in (2, -5))
    scaler = FrameScaler(method="max").fit([loud])
    assert scaler.transform([louder])[0].min() == -2.5
    assert scaler.set_params(clip=True).transform([louder])[0].min() == -1
    standard = FrameScaler(with_std=False, clip=True).fit([loud])
    assert standard.transform([louder])[0].min() == -7, "only of a scale by the largest"


@pytest.mark.parametrize("scope", ["corpus", "utterance"])
@pytest.mark.parametrize("per", ["bin", "all"])
def test_silence_is_not_divided_by_its_maximum(scope, per):
    silence = np.zeros((1, 2, 4), dtype=np.float32)
    assert not FrameScaler(scope, method="max", per=per).fit_transform([silence])[0].any()
