"""Scores over the signal-to-noise ratio: who is fitted on what, and what is kept."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.augmentation import NoiseCorruptor, NoiseMixer
from serkit.datasets import Corpus, make_emotional_speech
from serkit.evaluation import _robustness, compare, robustness_curve
from serkit.feature_extraction import MFCC, TemporalPooling
from serkit.metrics import uar_score
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError
from serkit.over_sampling import LeakageWarning
from serkit.pipeline import make_pipeline as make_sampling_pipeline
from serkit.preprocessing import AudioLoader, SpeakerStandardizer

RNG = np.random.default_rng(0)
HISS = [0.1 * RNG.normal(size=size) for size in (2000, 30000)]
HUM = [np.sin(0.03 * np.arange(9000))]


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(3, ["anger", "calm"], n_sentences=2, random_state=0)


class Notes(ClassifierMixin, BaseEstimator):
    """A classifier that notes what it is trained on and asked."""

    fitted: list = []  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fitted.append((list(X), self.random_state))
        return self

    def predict(self, X):
        self.asked.append(list(X))
        return np.resize(self.classes_, len(X))


@pytest.fixture(autouse=True)
def _forget():
    Notes.fitted.clear()
    Notes.asked.clear()


def run(corpus, pipelines, noises=HISS, **options):
    return robustness_curve(corpus, pipelines, noises, verbose=0, **{"snrs": [10, 0], **options})


def on_disk(corpus, folder):
    table = corpus.table
    table["file"] = [f"{row}.wav" for row in range(len(corpus))]
    for file, waveform in zip(table["file"], corpus.audio, strict=True):
        soundfile.write(folder / file, waveform, corpus.sampling_rate, subtype="FLOAT")
    return Corpus(table, root=folder)


def linear():
    return make_pipeline(AudioLoader(), MFCC(), TemporalPooling(), GaussianNB())


def test_equals_a_loop_by_hand(corpus):
    table = run(corpus, {"Bayes": linear()})
    assert table.columns.tolist() == [
        "pipeline", "seed", "fold", "noise", "snr", "UAR", "WA", "n_test",
    ]  # fmt: skip
    assert table["snr"].tolist() == [np.inf, 10, 0] * 3
    assert set(table["noise"]) == {"all"}
    splits = LeaveSpeakersOut().split(corpus.audio, groups=corpus.speakers)
    for fold, (train, test) in enumerate(splits):
        of_fold = table[table["fold"] == fold]
        fitted = linear().fit(corpus.audio[train], corpus.y[train])
        for snr in (np.inf, 10, 0):
            noisy = NoiseCorruptor(HISS, snr).transform(corpus.audio[test])
            (row,) = of_fold[of_fold["snr"] == snr].to_dict("records")
            assert row["UAR"] == uar_score(corpus.y[test], fitted.predict(noisy))
            assert row["n_test"] == len(test)


def test_without_noise_it_is_the_comparison(corpus):
    table = run(corpus, {"Bayes": linear()}, snrs=[])
    result = compare(corpus, {"Bayes": linear()}, verbose=0)
    assert table["UAR"].tolist() == result.folds["UAR"].tolist()


def test_fits_once_on_clean_speech_and_asks_at_every_ratio(corpus):
    pipe = make_pipeline(AudioLoader(), Notes())
    run(corpus, {"notes": pipe}, {"hiss": HISS, "hum": HUM}, snrs=[10, 0, -5])
    assert len(Notes.fitted) == 3
    assert len(Notes.asked) == 3 * 7
    train = LeaveSpeakersOut().split(corpus.audio, groups=corpus.speakers)
    for (seen, _), (rows, _) in zip(Notes.fitted, train, strict=True):
        for a, b in zip(seen, corpus.audio[rows], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    clean, louder, loudest = Notes.asked[0], Notes.asked[1], Notes.asked[2]
    added = [noisy[0].astype(float) - clean[0] for noisy in (louder, loudest)]
    # The same noise from the same place, unless a mixture was rescaled.
    assert np.corrcoef(*added)[0, 1] > 0.99


def test_a_noise_mixer_makes_training_noisy_only(corpus):
    pipe = make_sampling_pipeline(NoiseMixer(HUM, random_state=0), AudioLoader(), Notes())
    run(corpus, {"noisy": pipe})
    assert [len(seen) for seen, _ in Notes.fitted] == [16] * 3
    assert [len(seen) for seen in Notes.asked] == [4] * 9


def test_noises_of_training_are_warned_of(corpus):
    pipe = make_sampling_pipeline(NoiseMixer(HISS + HUM), AudioLoader(), Notes())
    with pytest.warns(LeakageWarning, match="'noisy' is trained on 2 of the 2 noises of the test"):
        run(corpus, {"noisy": pipe})


def test_kinds_of_noise_share_the_clean_point(corpus):
    table = run(corpus, {"Bayes": linear()}, {"hiss": HISS, "hum": HUM})
    assert len(table) == 3 * 2 * 3
    clean = table[np.isinf(table["snr"])].pivot(index="fold", columns="noise", values="UAR")
    assert clean["hiss"].tolist() == clean["hum"].tolist()


@pytest.fixture
def counted(monkeypatch):
    """Count how often pipelines are fitted and asked."""
    counts = {"fit": 0, "predict": 0}

    def count(name):
        original = getattr(_robustness, name)

        def call(*args):
            counts[name] += 1
            return original(*args)

        monkeypatch.setattr(_robustness, name, call)

    count("fit")
    count("predict")
    return counts


@pytest.mark.parametrize("kind", ["waveforms", "files"])
def test_goes_on_where_it_was_stopped(kind, corpus, tmp_path, counted):
    if kind == "files":
        corpus = on_disk(corpus, tmp_path)
    pipelines = {"Bayes": linear()}
    options = {"results_dir": tmp_path / "results", "cache": None}
    first = run(corpus, pipelines, **options)
    assert counted == {"fit": 3, "predict": 9}
    pd.testing.assert_frame_equal(first, run(corpus, pipelines, **options))
    assert counted == {"fit": 3, "predict": 9}
    more = run(corpus, pipelines, snrs=[10, 0, -5], **options)
    assert counted == {"fit": 6, "predict": 12}
    assert more["snr"].tolist() == [np.inf, 10, 0, -5] * 3
    for entry in list((tmp_path / "results" / "folds").glob("*.json"))[:4]:
        entry.unlink()
    pd.testing.assert_frame_equal(more, run(corpus, pipelines, snrs=[10, 0, -5], **options))
    assert counted["predict"] == 16
    for other in ({"random_state": 1}, {"rescale": False}, {"power": "active"}):
        counted["predict"] = 0
        run(corpus, pipelines, **options, **other)
        assert counted["predict"] == 6, "the clean point was kept, the noisy ones are others"


def test_seeds_jobs_and_cache(corpus, tmp_path):
    pipelines = {
        "Bayes": linear(),
        "notes": make_pipeline(AudioLoader(), MFCC(), TemporalPooling(), Notes()),
    }
    table = run(corpus, pipelines, seeds=[0, 1], cache=tmp_path)
    assert [state for _, state in Notes.fitted] == [0] * 3 + [1] * 3
    assert len(table) == 2 * 2 * 3 * 3
    with parallel_config("threading", n_jobs=2):
        again = run(corpus, pipelines, seeds=[0, 1], cache=tmp_path)
    pd.testing.assert_frame_equal(table, again)


def test_speakers_reach_those_that_ask_for_them(corpus):
    pipe = make_pipeline(
        AudioLoader(), MFCC(), TemporalPooling(), SpeakerStandardizer(unseen="own"), GaussianNB()
    )
    search = GridSearchCV(
        linear(), {"gaussiannb__var_smoothing": [1e-9, 1e-3]}, cv=LeaveSpeakersOut()
    )
    table = run(corpus, {"standardized": pipe, "search": search})
    assert len(table) == 18


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"snrs": [5, 5]}, "snrs must be different numbers"),
        ({"snrs": [np.inf]}, "without noise is always there"),
        ({"noises": {}}, "noises is an empty dict"),
        ({"noises": [np.zeros(4)]}, "noise 0 is empty or silent"),
        ({"sampling_rate": 8000}, "waveforms of the corpus have 16000 Hz"),
    ],
)
def test_arguments_are_checked(options, message, corpus):
    with pytest.raises(ValueError, match=message):
        run(corpus, {"Bayes": linear()}, **options)


def test_speakers_on_both_sides_are_refused(corpus):
    rows = np.arange(len(corpus))
    with pytest.raises(SpeakerLeakageError):
        run(corpus, {"Bayes": linear()}, cv=[(rows[1:], rows[:1])])


def test_errors_name_pipeline_and_fold(corpus):
    class Broken(Notes):
        def predict(self, X):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken") as caught:
        run(corpus, {"bad": make_pipeline(AudioLoader(), Broken())})
    assert "in pipeline 'bad', fold 0" in caught.value.__notes__[0]
