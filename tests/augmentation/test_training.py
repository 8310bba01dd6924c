"""Networks and machines that are trained on copies: who sees what."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit, cross_val_predict, cross_validate
from sklearn.svm import SVC

from serkit.augmentation import Compose, NoiseCorruptor, NoiseMixer, RandomGain, SpecAugment
from serkit.datasets import load_emodb, make_emotional_speech
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    FrameScaler,
    LogMelSpectrogram,
    TemporalPooling,
)
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CLDNNClassifier, MLPClassifier, SegmentAggregationClassifier
from serkit.over_sampling import BaseSampler
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter
from serkit.testing import RecordingClassifier
from serkit.training import UtteranceNet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.tile(["anger", "calm"], 20)
SPEAKERS = np.repeat(np.array(list("abcd"), dtype=object), 10)


class Noisy(BaseSampler):
    """Add two copies of every row, and one synthetic row of every class."""

    def _generate(self, X, y, strategy, random_state):
        origins = np.concatenate([np.tile(np.arange(len(X)), 2), [-1, -1]])
        new = X[origins] + 1e-5 * random_state.normal(size=(len(origins), 3))
        new[-2:] += 1000
        return new, np.concatenate([y, y, y[:2]]), origins


@pytest.fixture
def trained_on(monkeypatch):
    """Note the rows that networks are trained and validated on, by their first value."""
    seen = []
    fit = UtteranceNet.fit

    def note(self, data, *args, **kwargs):
        parts = [set(), set()]
        for part, rows in zip(parts, data, strict=True):
            if rows is not None:
                x = rows.batch(np.arange(len(rows)))[0]["x"].numpy().reshape(len(rows), -1)
                real = x[:, 0] < 500
                part.update(np.abs(X[:, :1] - x[real, 0]).argmin(axis=0).tolist())
                seen.append(len(rows))
        assert not parts[0] & parts[1], "a row or its copy is on both sides"
        seen.append(parts[1])
        return fit(self, data, *args, **kwargs)

    monkeypatch.setattr(UtteranceNet, "fit", note)
    return seen


@pytest.mark.parametrize("validation", ["auto", 0.25, LeaveSpeakersOut()])
def test_copies_of_validation_speakers_are_not_trained_on(validation, trained_on):
    network = MLPClassifier((4,), max_epochs=1, validation=validation, random_state=0)
    pipe = make_pipeline(Noisy(random_state=0), network)
    pipe.fit(X, Y, mlpclassifier__speakers=SPEAKERS)
    n_train, n_valid, held_out = trained_on
    assert len({SPEAKERS[row] for row in held_out}) == 1
    # Thirty rows with two copies each and two synthetic ones; ten that are real.
    assert (n_train, n_valid, len(held_out)) == (92, 10, 10)


@pytest.mark.filterwarnings("ignore:validation=0.25 splits utterances")
@pytest.mark.parametrize("validation", [0.25, ShuffleSplit(1, test_size=0.25, random_state=0)])
def test_copies_of_validation_utterances_are_not_trained_on(validation, trained_on):
    network = MLPClassifier((4,), max_epochs=1, validation=validation, random_state=0)
    make_pipeline(Noisy(random_state=0), Noisy(random_state=1), network).fit(X, Y)
    n_train, n_valid, held_out = trained_on
    assert (n_valid, len(held_out)) == (10, 10)
    # Each sampler triples what there is, and adds two; those of nobody have no origin.
    assert n_train == 30 * 9 + 3 * 2 + 2


def test_a_search_outside_is_as_before(trained_on):
    """Rows that another step has chosen are not mistaken for those of a sampler."""
    inner = MLPClassifier((4,), max_epochs=1, validation=LeaveSpeakersOut(), random_state=0)
    pipe = Pipeline([("last", inner)])
    cross_validate(
        pipe, X, Y, groups=SPEAKERS, cv=LeaveSpeakersOut(), params={"last__speakers": SPEAKERS}
    )
    assert [entry for entry in trained_on if isinstance(entry, int)] == [20, 10] * 4


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(4, ["anger", "calm"], n_sentences=2, random_state=0)


NOISES = [0.1 * RNG.normal(size=size) for size in (3000, 40000)]


@pytest.mark.parametrize("place", ["before the loader", "before the frames"])
def test_a_cldnn_is_trained_on_noisy_speech(place, corpus):
    """Features of one copy at a time, the same wherever the sampler stands."""
    frames = LogMelSpectrogram(n_mels=20, hop_length=320)
    mixer = NoiseMixer(NOISES, snr=[5.0, 15.0], n_copies=(None, None), random_state=0)
    cldnn = CLDNNClassifier(
        n_filters=2,
        lstm_hidden_size=2,
        hidden_layer_sizes=(4,),
        max_epochs=1,
        augment=Compose([RandomGain(3.0), SpecAugment(freq_mask_size=4)]),
        random_state=0,
    )
    if place == "before the loader":
        front = [mixer, CachedTransformer(make_pipeline(AudioLoader(), frames))]
    else:
        front = [AudioLoader(), mixer, frames]
    pipe = make_pipeline(*front, FrameScaler(), cldnn)
    pipe.fit(corpus.audio, corpus.y, cldnnclassifier__speakers=corpus.speakers)
    assert len(pipe["noisemixer"].sample_indices_) == 5 * len(corpus)
    assert pipe.predict(corpus.audio).shape == (len(corpus),)
    waveforms = AudioLoader().fit_transform(clone(mixer).fit_resample(corpus.audio, corpus.y)[0])
    expected = FrameScaler().fit(frames.fit_transform(waveforms))
    np.testing.assert_allclose(pipe["framescaler"].mean_, expected.mean_, rtol=1e-4)


def test_segments_of_copies(corpus):
    segments = SegmentAggregationClassifier(
        make_pipeline(TemporalPooling(), SVC()), FixedLengthSegmenter(20), aggregate="vote"
    )
    pipe = make_pipeline(NoiseMixer(NOISES, random_state=0), MFCC(n_mfcc=5), segments)
    assert pipe.fit(corpus.audio, corpus.y).predict(corpus.audio).shape == (len(corpus),)


def test_a_fold_has_the_same_noise_as_the_whole(corpus):
    """So that features of noisy copies are computed once for all folds."""
    pipe = make_pipeline(NoiseMixer(NOISES, random_state=0), AudioLoader(), RecordingClassifier())
    folds = cross_validate(
        pipe,
        corpus.audio,
        corpus.y,
        groups=corpus.speakers,
        cv=LeaveSpeakersOut(),
        return_estimator=True,
        return_indices=True,
    )
    whole = clone(pipe).fit(corpus.audio, corpus.y)[-1].X_
    for fitted, train in zip(folds["estimator"], folds["indices"]["train"], strict=True):
        for row, noisy in zip(train, fitted[-1].X_[len(train) :], strict=True):
            np.testing.assert_array_equal(noisy, whole[len(corpus) + row])


@pytest.mark.corpus
def test_real_speech_in_real_noise(corpora, snr_of):
    """Clips shorter and longer than the utterances, at the ratio, in folds of speakers."""
    files = sorted(str(path) for path in (corpora / "noise").glob("*.flac"))
    if not files:
        pytest.skip("SERKIT_DATA has no folder noise/")
    emodb = load_emodb(corpora / "emodb").select(emotion=["anger", "sadness"])
    emodb = emodb[np.isin(emodb.speakers, ["03", "08", "09"])]
    clean = AudioLoader().fit_transform(emodb.audio[:6])
    noisy = AudioLoader().fit_transform(NoiseCorruptor(files, 3.0).defer(emodb.audio[:6]))
    for speech, mixture in zip(clean, noisy, strict=True):
        if np.abs(mixture).max() < 0.999:  # was not rescaled
            assert snr_of(speech, mixture) == pytest.approx(3, abs=1e-3)
    features = CachedTransformer(make_pipeline(AudioLoader(), MFCC(), TemporalPooling()))
    pipe = make_pipeline(
        NoiseMixer(files[::2], snr=(0, 15), n_copies=2, random_state=0), features, SVC()
    )
    predicted = cross_val_predict(
        pipe, emodb.audio, emodb.y, groups=emodb.speakers, cv=LeaveSpeakersOut()
    )
    assert np.mean(predicted == emodb.y) > 0.7
