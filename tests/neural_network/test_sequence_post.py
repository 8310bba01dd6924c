import warnings

import numpy as np
import pytest
from scipy.signal import butter, lfilter

from serkit.neural_network import SequencePostProcessor, join_slices
from serkit.preprocessing import FixedLengthSegmenter
from serkit.utils import as_ragged, is_ragged

RNG = np.random.default_rng(0)
TIME = np.arange(1000) / 25  # seconds
SLOW, FAST = np.sin(2 * np.pi * 0.05 * TIME), np.sin(2 * np.pi * 5 * TIME)


@pytest.mark.parametrize("zero_phase", [True, False])
def test_what_is_fast_is_removed(zero_phase):
    processor = SequencePostProcessor(0.5, zero_phase=zero_phase, rescale=False).fit([SLOW])
    (smooth,) = processor.transform([SLOW + FAST])
    delayed = processor.transform([SLOW])[0]
    assert np.abs(smooth - delayed).max() < 0.15
    error = np.abs(delayed - SLOW)[100:-100].max()
    assert (error < 0.02) == zero_phase


def test_at_the_cutoff_half_of_the_power_is_left_per_pass():
    wave = np.sin(2 * np.pi * 1.0 * TIME)
    amplitudes = [
        SequencePostProcessor(1.0, zero_phase=zero_phase, rescale=False)
        .fit([wave])
        .transform([wave])[0][200:-200]
        .max()
        for zero_phase in (False, True)
    ]
    np.testing.assert_allclose(amplitudes, [0.5**0.5, 0.5], atol=0.01)


def test_forwards_it_is_a_butterworth_filter_without_a_start():
    sequence = RNG.normal(size=50)
    processor = SequencePostProcessor(2.0, order=2, zero_phase=False, rescale=False)
    found = processor.fit([sequence]).transform([sequence])[0]
    long = np.concatenate([np.full(500, sequence[0]), sequence])
    np.testing.assert_allclose(found, lfilter(*butter(2, 2.0, fs=25), long)[500:], atol=1e-9)
    later = sequence.copy()
    later[30:] = 9  # what is to come has no influence
    np.testing.assert_array_equal(processor.transform([later])[0][:30], found[:30])


@pytest.mark.filterwarnings("ignore:.*shorter than a period")
@pytest.mark.parametrize("zero_phase", [True, False])
@pytest.mark.parametrize("length", [1, 2, 50])
def test_constants_stay(zero_phase, length):
    processor = SequencePostProcessor(zero_phase=zero_phase, rescale=False).fit([SLOW])
    np.testing.assert_allclose(processor.transform([np.full(length, 0.3)])[0], 0.3)


@pytest.fixture
def of_speakers():
    sequences = [RNG.normal(m, s, size=n) for m, s, n in [(0, 1, 90), (2, 3, 40), (5, 3, 60)]]
    return sequences, ["a", "b", "b"]


def test_sequences_get_the_mean_and_spread_that_their_speaker_had(of_speakers):
    sequences, speakers = of_speakers
    processor = SequencePostProcessor(1.0).fit(sequences, speakers=speakers)
    both = np.concatenate(sequences[1:])
    assert processor.speakers_.tolist() == ["a", "b"]
    np.testing.assert_allclose(processor.mean_, [sequences[0].mean(), both.mean()])
    np.testing.assert_allclose(processor.scale_, [sequences[0].std(), both.std()])
    predicted = [RNG.normal(7, 7, size=n) for n in (30, 60)]
    found = processor.transform(predicted, speakers=["b", "a"])
    np.testing.assert_allclose([x.mean() for x in found], processor.mean_[::-1])
    np.testing.assert_allclose([x.std() for x in found], processor.scale_[::-1])
    alone = processor.transform(predicted[:1], speakers=["b"])
    np.testing.assert_array_equal(alone[0], found[0])


def test_unknown_speakers_get_those_of_all(of_speakers):
    sequences, speakers = of_speakers
    processor = SequencePostProcessor(1.0).fit(sequences, speakers=speakers)
    with pytest.warns(UserWarning, match="1 speakers, such as 'z', were not in fit"):
        (stranger,) = processor.transform([SLOW], speakers=["z"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (nobody,) = processor.transform([SLOW], speakers=[None])
    values = np.concatenate(sequences)
    np.testing.assert_array_equal(stranger, nobody)
    assert (stranger.mean(), stranger.std()) == pytest.approx((values.mean(), values.std()))


def test_speakers_of_fit_are_needed(of_speakers):
    sequences, speakers = of_speakers
    processor = SequencePostProcessor(1.0).fit(sequences, speakers=speakers)
    with pytest.raises(ValueError, match=r"transform\(X, speakers=...\)"):
        processor.transform(sequences)
    assert len(processor.set_params(rescale=False).transform(sequences)) == 3


def test_a_constant_gets_the_mean():
    processor = SequencePostProcessor(1.0).fit([np.array([1.0, 3.0])])
    np.testing.assert_allclose(processor.transform([np.full(30, 0.1)])[0], 2)


def test_container_is_kept():
    X = RNG.normal(size=(3, 30))
    processor = SequencePostProcessor(1.0).fit(X)
    table, ragged = processor.transform(X), processor.transform(as_ragged(X))
    assert table.shape == X.shape
    assert is_ragged(ragged)
    np.testing.assert_array_equal(table, np.stack(ragged))


@pytest.mark.parametrize(
    ("cutoff", "sequence", "message"),
    [
        (12.5, SLOW, "cutoff=12.5 Hz must be below half of sampling_rate=25"),
        (1.0, [1.0, np.nan], "sequence 0 contains NaN"),
        (1.0, np.ones((2, 3)), r"sequence 0 must be a 1-D array, got shape \(2, 3\)"),
    ],
    ids=["cutoff", "nan", "two_axes"],
)
def test_wrong_input(cutoff, sequence, message):
    with pytest.raises(ValueError, match=message):
        SequencePostProcessor(cutoff).fit([np.asarray(sequence)])


@pytest.mark.parametrize("n_values", [7, 10, 16, 23, 41])
def test_slices_are_joined_to_what_they_were_cut_from(n_values):
    tracks = [RNG.normal(size=n_values), RNG.normal(size=31)]
    slices, parents = FixedLengthSegmenter(10, hop=8).split(tracks)
    joined = join_slices(np.stack(slices), parents, hop=8, lengths=[n_values, 31])
    for track, sequence in zip(tracks, joined, strict=True):
        np.testing.assert_allclose(sequence, track)


def test_overlaps_are_averaged():
    slices = [[0, 0, 0], [3, 3, 3], [9, 9, 9]]
    (found,) = join_slices(slices, [4, 4, 4], hop=1)
    np.testing.assert_allclose(found, [0, 1.5, 4, 6, 9])
    (found,) = join_slices(slices, [4, 4, 4], hop=2, lengths=[6])
    np.testing.assert_allclose(found, [0, 0, 1.5, 6, 6, 9])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop": 4}, "hop must be a whole number from 1 to the 3 values"),
        ({"hop": 1.5}, "hop must be a whole number .* got 1.5"),
        ({"hop": 3, "lengths": [9]}, "2 slices, but 9 values in slices of 3 every 3 make 3"),
        ({"hop": 2, "lengths": [3]}, 'every 2 make 1; .* tail="align_end"'),
        ({"hop": 3, "lengths": [5.5]}, "recording x cannot have 5.5 values"),
        ({"hop": 3, "lengths": [0]}, "recording x cannot have 0 values"),
        ({"hop": 3, "lengths": [3, 3]}, "2 entries for 1 recordings"),
    ],
    ids=["gaps", "half", "too_long", "too_short", "half_a_value", "nothing", "lengths"],
)
def test_slices_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        join_slices(np.zeros((2, 3)), ["x", "x"], **options)


@pytest.mark.parametrize(
    "recording", [[1.0, np.nan], np.array(["x", None], dtype=object)], ids=["nan", "none"]
)
def test_slices_of_no_recording_are_refused(recording):
    with pytest.raises(ValueError, match=r"None or NaN for the slices \[1\]"):
        join_slices(np.zeros((2, 3)), recording, hop=3)


def test_sequences_shorter_than_a_period_of_the_cutoff_are_told():
    processor = SequencePostProcessor(1.0).fit([SLOW])
    with pytest.warns(UserWarning, match="1 of 2 sequences are shorter .* 25 values") as caught:
        processor.transform([SLOW[:24], SLOW])
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        processor.transform([SLOW[:25], SLOW])
