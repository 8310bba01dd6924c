import numpy as np
import pytest
import torch

from serkit.feature_extraction import Deltas
from serkit.utils import SignalWarning, as_ragged


@pytest.fixture
def frames():
    return np.random.default_rng(0).normal(size=(1, 13, 60)).astype(np.float32)


def transform_one(frames, **parameters):
    return Deltas(**parameters).fit_transform(as_ragged([frames]))[0]


@pytest.mark.parametrize("width", [3, 9, 15])
def test_equals_librosa(frames, width):
    import librosa

    static, delta, second = transform_one(frames, width=width)
    np.testing.assert_array_equal(static, frames[0])
    np.testing.assert_allclose(delta, librosa.feature.delta(static, width=width), atol=1e-5)
    np.testing.assert_allclose(
        second, librosa.feature.delta(static, width=width, order=2), atol=1e-5
    )


@pytest.mark.parametrize("mode", ["nearest", "mirror", "constant"])
def test_edges_equal_librosa(frames, mode):
    import librosa

    _, delta, second = transform_one(frames, mode=mode)
    for order, ours in ((1, delta), (2, second)):
        theirs = librosa.feature.delta(frames[0], order=order, mode=mode)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def compute_deltas(static, width):
    """Repeat the edges, then correlate with -N..N over 2 (1 + 4 + ... + N²)."""
    half = width // 2
    taps = torch.arange(-half, half + 1.0)
    padded = torch.nn.functional.pad(torch.tensor(static)[:, None], (half, half), mode="replicate")
    return (torch.nn.functional.conv1d(padded, taps[None, None]) / taps.square().sum())[:, 0]


@pytest.mark.parametrize("convention", ["torchaudio", "htk"])
def test_delta_of_delta(frames, convention):
    _, delta, second = transform_one(frames, convention=convention)
    expected = compute_deltas(frames[0], 5)
    np.testing.assert_allclose(delta, expected, atol=1e-6)
    np.testing.assert_allclose(second, compute_deltas(expected.numpy(), 5), atol=1e-6)


def test_kaldi_continues_the_frames_not_their_deltas(frames):
    taps = np.array([-2, -1, 0, 1, 2]) / 10
    composed = np.convolve(taps, taps)
    static = frames[0]
    n_frames = static.shape[1]
    expected = np.zeros_like(static)
    for t in range(n_frames):
        for offset, weight in zip(range(-4, 5), composed, strict=True):
            expected[:, t] += weight * static[:, np.clip(t + offset, 0, n_frames - 1)]
    _, delta, second = transform_one(frames, convention="kaldi")
    np.testing.assert_allclose(second, expected, atol=1e-6)
    _, htk_delta, htk_second = transform_one(frames, convention="htk")
    np.testing.assert_array_equal(delta, htk_delta)
    np.testing.assert_allclose(second[:, 4:-4], htk_second[:, 4:-4], atol=1e-6)
    assert np.abs(second - htk_second)[:, [0, -1]].max() > 0.01


def test_explicit_parameters_win_over_the_convention(frames):
    mixed = transform_one(frames, convention="kaldi", width=9, higher_order="savgol", mode="interp")
    np.testing.assert_array_equal(mixed, transform_one(frames))


@pytest.mark.parametrize(("axis", "shape"), [("channel", (6, 4, 20)), ("bin", (2, 12, 20))])
def test_axis(axis, shape):
    frames = np.random.default_rng(0).normal(size=(2, 4, 20)).astype(np.float32)
    stacked = transform_one(frames, axis=axis)
    assert stacked.shape == shape
    assert stacked.dtype == np.float32
    alone = transform_one(frames[1:], axis="channel")
    if axis == "channel":
        np.testing.assert_array_equal(stacked[1::2], alone)
    else:
        np.testing.assert_array_equal(stacked[1].reshape(3, 4, 20), alone)


@pytest.mark.parametrize("order", [1, 3])
def test_order(frames, order):
    assert transform_one(frames, order=order, convention="htk").shape == (order + 1, 13, 60)


def test_too_few_frames_repeat_the_edges_and_are_named(frames):
    short = frames[..., :5]
    deltas = Deltas().fit([frames, short])
    with pytest.warns(SignalWarning, match="utterance 1 of fewer than the 9 frames"):
        long_deltas, short_deltas = deltas.transform([frames, short])
    np.testing.assert_array_equal(short_deltas, transform_one(short, mode="nearest"))
    np.testing.assert_array_equal(long_deltas, transform_one(frames))


def test_one_frame_has_no_slope(frames):
    _, delta, second = transform_one(frames[..., :1], convention="torchaudio")
    np.testing.assert_allclose([delta, second], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"width": 4}, "width must be odd"),
        ({"order": 3, "width": 3}, "needs width > 3"),
        ({"convention": "matlab"}, "'convention' parameter"),
        ({"order": 0}, "'order' parameter"),
    ],
)
def test_bad_parameters(frames, parameters, message):
    with pytest.raises(ValueError, match=message):
        transform_one(frames, **parameters)
