import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections import deque
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from joblib import parallel_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from serkit.feature_extraction import (
    CachedTransformer,
    Deltas,
    FrameScaler,
    LogMelSpectrogram,
    TemporalPooling,
)
from serkit.feature_extraction._utterance_store import _RECENT
from serkit.preprocessing import AudioLoader, WienerFilter
from serkit.utils import AudioSegment, AudioTransformer, SignalWarning, as_ragged


class Log(deque):
    """Grows while the code runs, so it must not count as data of the code."""

    def __reduce_ex__(self, protocol):
        raise TypeError("a log is not pickled")


class Counted(AudioTransformer):
    """Takes the first samples and notes how often it is asked to."""

    calls: ClassVar[deque] = Log()
    kernels: ClassVar[deque] = Log()

    def __init__(self, n_samples=4, *, device=None, n_jobs=None, verbose=0):
        self.n_samples = n_samples
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self):
        self.kernels.append(self.n_jobs)

        def first_samples(waveform):
            self.calls.append(len(waveform))
            return waveform[None, None, : self.n_samples].astype(np.float32)

        return first_samples


@pytest.fixture(autouse=True)
def _forget_calls():
    Counted.calls.clear()
    Counted.kernels.clear()


@pytest.fixture
def audio():
    rng = np.random.default_rng(0)
    return as_ragged([rng.uniform(-1, 1, n).astype(np.float32) for n in (50, 80, 65, 50)])


@pytest.fixture
def files(tmp_path, audio):
    paths = [tmp_path / f"{row}.wav" for row in range(len(audio))]
    for path, waveform in zip(paths, audio, strict=True):
        soundfile.write(path, waveform, 16000)
    return paths


def steps(**parameters):
    return make_pipeline(WienerFilter(), Counted(**parameters), TemporalPooling(("mean", "max")))


def test_values_equal_the_steps(audio, tmp_path):
    expected = steps().fit_transform(audio)
    for location in (None, tmp_path, str(tmp_path)):
        cached = CachedTransformer(steps(), location)
        np.testing.assert_array_equal(cached.transform(audio), expected)
        np.testing.assert_array_equal(cached.fit_transform(list(audio)), expected)
        assert cached.transform(audio).dtype == np.float32
    numeric = np.stack([audio[0], audio[3]])
    np.testing.assert_array_equal(
        CachedTransformer(steps(), tmp_path).fit_transform(numeric), expected[[0, 3]]
    )


@pytest.mark.parametrize("ragged", [True, False])
def test_the_container_is_kept_out_of_the_cache_too(audio, tmp_path, ragged):
    X = audio[[0, 3]] if ragged else np.stack([audio[0], audio[3]])
    cached = CachedTransformer(WienerFilter(), tmp_path).fit(X)
    expected = WienerFilter().fit_transform(X)
    for _ in range(3):
        Xt = cached.transform(X)
        assert Xt.dtype == expected.dtype
        for row in range(2):
            np.testing.assert_array_equal(Xt[row], expected[row])
            Xt[row][:] = 0  # Writing into the output must not reach the cache.


def test_each_utterance_is_computed_once(audio, tmp_path):
    CachedTransformer(steps(), tmp_path).transform(audio)
    assert list(Counted.calls) == [50, 80, 65, 50]
    _RECENT.forget(tmp_path / "serkit-utterances")  # As in a later process.
    CachedTransformer(steps(), tmp_path).transform(audio[[2, 0]])
    assert len(Counted.calls) == 4
    assert len(Counted.kernels) == 1, "nothing is prepared when nothing is missing"
    longer = as_ragged([audio[1], np.ones(30), audio[0]])
    Xt = CachedTransformer(steps(), tmp_path).transform(longer)
    assert list(Counted.calls)[4:] == [30]
    np.testing.assert_array_equal(Xt, steps().transform(longer))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_folds_and_grid_points_share_entries(tmp_path, n_jobs):
    rng = np.random.default_rng(0)
    X = as_ragged([rng.uniform(-1, 1, 60 + n).astype(np.float32) for n in range(12)])
    y, speakers = np.arange(12) % 2, np.arange(12) // 4
    n_first = 2  # Output is named in fit after what the first training utterance looks like.
    pipe = make_pipeline(
        CachedTransformer(steps(), tmp_path), StandardScaler(), LogisticRegression()
    )
    with parallel_config("threading", n_jobs=n_jobs):
        cross_val_score(pipe, X, y, groups=speakers, cv=LeaveOneGroupOut())
        assert sorted(set(Counted.calls)) == list(range(60, 72))
        if n_jobs is None:
            assert len(Counted.calls) == 12 + n_first
        Counted.calls.clear()
        grid = {
            "logisticregression__C": [0.1, 1],
            "cachedtransformer__transformer__counted__n_samples": [4, 9],
        }
        search = GridSearchCV(pipe, grid, cv=LeaveOneGroupOut(), error_score="raise")
        search.fit(X, y, groups=speakers)
    assert set(Counted.calls) == set(range(60, 72))
    if n_jobs is None:
        assert len(Counted.calls) == 12 + n_first, "the new parameter once, the old one never"


def test_the_key_has_what_matters_and_nothing_else(audio, tmp_path, monkeypatch):
    def n_computed(transformer):
        Counted.calls.clear()
        CachedTransformer(transformer, tmp_path, n_jobs=2, verbose=0).transform(audio)
        return len(Counted.calls)

    assert n_computed(Counted()) == 4
    assert n_computed(Counted(n_jobs=2, verbose=0, device="cuda")) == 0
    assert n_computed(make_pipeline(Counted(), "passthrough")) == 0
    assert n_computed(make_pipeline(make_pipeline(Counted()))) == 0
    assert n_computed(Counted(n_samples=5)) == 4
    assert n_computed(make_pipeline(WienerFilter(), Counted())) == 4
    monkeypatch.setattr(Counted, "first", 2, raising=False)
    assert n_computed(Counted()) == 4, "another class now"
    monkeypatch.setattr("serkit.feature_extraction._cache._SOURCE", "edited")
    assert n_computed(Counted()) == 4


def test_files_are_known_by_their_content(files, tmp_path):
    cached = CachedTransformer(make_pipeline(AudioLoader(), Counted()), tmp_path / "cache")
    cached.fit(files)
    expected = cached.transform(files)
    n_calls = len(Counted.calls)
    copy = shutil.copy(files[1], tmp_path / "renamed.wav")
    (again,) = cached.transform([str(copy)])
    np.testing.assert_array_equal(again, expected[1])
    assert len(Counted.calls) == n_calls
    cached.transform([AudioSegment(files[1])])
    assert len(Counted.calls) == n_calls
    cached.transform([AudioSegment(files[1], start=0.001)])
    cached.transform([AudioSegment(files[1], start=0.001, end=0.004)])
    assert len(Counted.calls) == n_calls + 2
    soundfile.write(copy, np.zeros(80), 16000)
    os.utime(copy, ns=(1, 1))
    with pytest.warns(SignalWarning, match="utterance 0 contains only zeros"):
        (changed,) = cached.transform([copy])
    assert not changed.any()


def test_a_missing_file_is_named(files, tmp_path):
    cached = CachedTransformer(make_pipeline(AudioLoader(), Counted()), tmp_path / "cache")
    with pytest.raises(ValueError, match=r"utterance 2 \(.*gone.wav\)"):
        cached.transform([*files[:2], tmp_path / "gone.wav"])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_all_failures_are_listed_and_the_rest_is_kept(files, tmp_path, n_jobs):
    steps = make_pipeline(AudioLoader(), Counted())
    cached = CachedTransformer(steps, tmp_path / "cache", n_jobs=n_jobs)
    missing = [tmp_path / f"{n}.gone" for n in range(12)]
    with pytest.raises(ValueError, match="12 of 14 utterances cannot be computed") as caught:
        cached.transform([files[0], *missing, files[1]])
    _, first, *_, last = str(caught.value).splitlines()
    assert first == f"  utterance 1 ({missing[0]}): no such file"
    assert last == "  and 2 more"
    assert len(Counted.calls) == 2
    cached.transform(files[:2])
    assert len(Counted.calls) == 2


def test_rates_that_nobody_compares_are_refused(files):
    cached = CachedTransformer(make_pipeline(AudioLoader(sampling_rate=None), Counted()))
    with pytest.raises(ValueError, match="'audioloader' has sampling_rate=None"):
        cached.fit(files)


@pytest.mark.parametrize("stored", [False, True])
def test_bins_that_fit_has_not_seen_are_refused(tmp_path, stored):
    five = np.ones((2, 1, 5, 4), dtype=np.float32)
    if stored:
        CachedTransformer(TemporalPooling(), tmp_path).fit_transform(five)
    for seen, given in [(np.ones((2, 1, 3, 4)), five), (list(np.ones((2, 1, 3, 4))), list(five))]:
        cached = CachedTransformer(TemporalPooling(), tmp_path).fit(seen)
        with pytest.raises(ValueError, match="utterance 0 .*5 bins"):
            cached.transform(given)


def test_a_folder_that_cannot_be_written_to_costs_only_the_memory(audio, tmp_path):
    (tmp_path / "file").write_text("no folder")
    cached = CachedTransformer(steps(), tmp_path / "file")
    with pytest.warns(UserWarning, match="cannot be written to"):
        np.testing.assert_array_equal(cached.transform(audio), steps().transform(audio))


def test_a_damaged_write_leaves_nothing(audio, tmp_path, monkeypatch):
    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.warns(UserWarning, match="No space left on device"):
        CachedTransformer(steps(), tmp_path).transform(audio)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_edited_function_is_run_again(audio, tmp_path):
    X = np.stack([audio[0], audio[3]])
    for factor in (2, 3):
        namespace = {}
        exec(f"def g(X): return {factor} * X", namespace)
        cached = CachedTransformer(FunctionTransformer(namespace["g"]), tmp_path)
        np.testing.assert_array_equal(cached.fit_transform(X), factor * X)


def test_progress_says_what_is_computed(audio, capsys):
    CachedTransformer(steps(), verbose=1).transform(audio)
    assert "Features: 100%" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no entry", None])
def test_a_damaged_entry_is_made_anew(audio, tmp_path, content):
    cached = CachedTransformer(steps(), tmp_path)
    expected = cached.transform(audio)
    entries = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(entries) == 4
    whole = entries[0].read_bytes()
    entries[0].write_bytes(whole[:-3] if content is None else content)
    _RECENT.forget(tmp_path / "serkit-utterances")
    with pytest.warns(UserWarning, match="is damaged; it is made anew"):
        np.testing.assert_array_equal(cached.transform(audio), expected)
    assert len(Counted.calls) == 5
    assert entries[0].read_bytes() == whole


def test_clear(audio, tmp_path):
    cached = CachedTransformer(steps(), tmp_path)
    cached.transform(audio)
    (tmp_path / "notes.txt").write_text("not ours")
    cached.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    cached.transform(audio)
    assert len(Counted.calls) == 8
    CachedTransformer(steps()).clear()


WRITER = """
import sys
import numpy as np
from sklearn.pipeline import make_pipeline
from serkit.feature_extraction import CachedTransformer, LogMelSpectrogram, TemporalPooling
order = int(sys.argv[2])
signals = [np.sin(np.arange(8000) * (row + 1) / 900) for row in range(600)][::order]
cached = CachedTransformer(make_pipeline(LogMelSpectrogram(), TemporalPooling()), sys.argv[1])
print("ready", flush=True)
cached.transform(signals)
"""


def test_processes_share_a_cache_and_a_killed_one_does_no_harm(tmp_path):
    """Two write the same entries from both ends; one is killed on the way."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, order], stdout=subprocess.PIPE)
        for order in ("1", "-1")
    ]
    writers[0].stdout.readline()
    while not (entries := list(tmp_path.rglob("*/*"))):
        assert writers[0].poll() is None, "the writer ended without an entry"
        time.sleep(0.01)
    writers[0].send_signal(signal.SIGKILL)
    assert writers[0].wait() == -signal.SIGKILL
    assert 0 < len(entries)
    assert writers[1].wait() == 0
    for writer in writers:
        writer.stdout.close()
    signals = [np.sin(np.arange(8000) * (row + 1) / 900) for row in range(600)]
    pipeline = make_pipeline(LogMelSpectrogram(), TemporalPooling())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cached = CachedTransformer(pipeline, tmp_path).transform(signals)
    np.testing.assert_array_equal(cached[::50], pipeline.transform(signals[::50]))


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_parallel_work_is_equal(audio, tmp_path, backend):
    log_mel = LogMelSpectrogram(n_fft=32, n_mels=4)
    pipeline = make_pipeline(WienerFilter(), log_mel, TemporalPooling())
    with parallel_config(backend, n_jobs=2):
        parallel = CachedTransformer(pipeline, tmp_path).transform(audio)
    np.testing.assert_array_equal(parallel, pipeline.transform(audio))


def test_inner_steps_run_with_one_job(audio):
    CachedTransformer(Counted(n_jobs=4), n_jobs=2).transform(audio)
    assert list(Counted.kernels) == [1]


@pytest.mark.parametrize(
    ("transformer", "name"),
    [
        (make_pipeline(TemporalPooling(), StandardScaler()), "standardscaler"),
        (FrameScaler(), "FrameScaler"),
        (make_pipeline(FrameScaler("utterance"), make_union(TemporalPooling(), PCA())), "pca"),
        (make_pipeline(make_pipeline(FrameScaler()), TemporalPooling()), "framescaler"),
    ],
)
def test_what_learns_is_refused(transformer, name):
    frames = np.ones((4, 2, 5))
    cached = CachedTransformer(transformer)
    for method in (cached.fit, cached.transform):
        with pytest.raises(ValueError, match=f"the step '{name}' .* has something to learn"):
            method(frames)


def test_an_empty_pipeline_is_refused(audio):
    with pytest.raises(ValueError, match="without steps"):
        CachedTransformer(make_pipeline("passthrough")).fit(audio)


class Doubling:
    def __call__(self, X):
        return 2 * X

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("holds a connection")


def test_steps_without_a_key_are_refused_only_for_the_disk(audio, tmp_path):
    doubled = FunctionTransformer(Doubling())
    X = np.stack([audio[0], audio[3]])
    np.testing.assert_array_equal(CachedTransformer(doubled).fit_transform(X), 2 * X)
    with pytest.raises(ValueError, match="no key can be made"):
        CachedTransformer(doubled, tmp_path).fit_transform(X)


def test_errors_and_warnings_name_the_row_of_the_outer_call(audio, tmp_path):
    cached = CachedTransformer(steps(), tmp_path).fit(audio)
    cached.transform(audio)
    bad = as_ragged([*audio[:3], np.full(9, np.nan)])
    for method in (cached.fit, cached.transform):
        with pytest.raises(ValueError, match="utterance 3 contains NaN"):
            method(bad)
    with pytest.warns(SignalWarning, match="utterance 2 contains only zeros"):
        cached.transform([audio[0], audio[1], np.zeros(20)])
    with pytest.raises(ValueError, match=r"utterance 1 gives an array of shape \(3,\)"):
        CachedTransformer(Flattened()).transform([np.ones(2), np.ones(3)])


class Flattened(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.stack(list(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def test_names_and_data_frames(audio, tmp_path):
    union = make_union(TemporalPooling(("min",)), TemporalPooling(("max",)))
    pipeline = make_pipeline(Counted(), Deltas(1, 3), union, Normalizer())
    cached = CachedTransformer(pipeline, tmp_path).fit(audio)
    names = ["temporalpooling-1__c0_b0_min", "temporalpooling-1__c1_b0_min"]
    assert list(cached.get_feature_names_out()[:2]) == names
    table = clone(cached).set_output(transform="pandas").fit_transform(audio)
    assert list(table.columns[:2]) == names
    np.testing.assert_array_equal(table.to_numpy(), pipeline.fit_transform(audio))
    frames = CachedTransformer(Counted(), tmp_path).set_output(transform="pandas")
    assert not hasattr(frames, "get_feature_names_out")
    assert frames.fit_transform(audio).dtype == object


def test_unions_of_branches(audio, tmp_path):
    def union():
        branch = make_pipeline(WienerFilter(), Counted(), TemporalPooling(("mean",)))
        other = make_pipeline("passthrough", Counted(n_samples=2), TemporalPooling(("max",)))
        return make_union(branch, other)

    expected = union().fit_transform(audio)
    Counted.calls.clear()
    cached = CachedTransformer(union(), tmp_path).fit(audio)
    assert len(Counted.calls) <= 2, "fit looks at one utterance only"
    np.testing.assert_array_equal(cached.transform(audio), expected)
    with pytest.raises(ValueError, match="utterance 1 contains NaN"):
        cached.fit(as_ragged([audio[0], np.full(9, np.nan)]))


def test_no_utterances_are_refused():
    with pytest.raises(ValueError, match="no utterances"):
        CachedTransformer(steps()).transform(np.empty(0, dtype=object))


def test_features_are_counted_for_numeric_input(audio):
    X = np.stack([audio[0], audio[3]])
    cached = CachedTransformer(steps()).fit(X)
    assert cached.n_features_in_ == 50
    with pytest.raises(ValueError, match="X has 49 features"):
        cached.transform(X[:, :49])
    assert not hasattr(cached.fit(audio), "n_features_in_")


class Widened(AudioTransformer):
    """Makes a megabyte of every utterance."""

    def __init__(self, n_jobs=None, verbose=0):
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self):
        return lambda waveform: np.tile(waveform[:1].astype(np.float32), (1, 64, 4096))


def test_memory_does_not_grow_with_the_number_of_utterances():
    def peak(n_utterances):
        X = as_ragged(np.ones((n_utterances, 5), dtype=np.float32))
        tracemalloc.start()
        Xt = CachedTransformer(make_pipeline(Widened(), TemporalPooling())).transform(X)
        peak = tracemalloc.get_traced_memory()[1] - Xt.nbytes
        tracemalloc.stop()
        return peak

    peak(2)
    assert peak(40) < 1.2 * peak(10)


@pytest.mark.corpus
def test_emodb_files(corpora, tmp_path):
    paths = sorted(Path(corpora / "emodb").rglob("*.flac"))[:20]
    pipeline = make_pipeline(AudioLoader(), LogMelSpectrogram(), TemporalPooling())
    cached = CachedTransformer(pipeline, tmp_path).fit(paths)
    expected = pipeline.fit_transform(paths)
    for _ in range(2):
        np.testing.assert_array_equal(cached.transform(paths), expected)


def test_warnings_are_given_again_on_a_hit(tmp_path):
    quiet = [np.full(400, 0.1), np.zeros(400), np.full(400, 0.2)]
    cached = CachedTransformer(WienerFilter(), tmp_path)
    for waveforms, row in ((quiet, 1), (quiet, 1), (quiet[1:], 0)):
        with pytest.warns(SignalWarning, match=f"utterance {row} contains only zeros") as record:
            cached.fit(waveforms).transform(waveforms)
        assert len(record) == 1
