"""Files, windows of files, and whatever goes wrong with some of them."""

import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from serkit.feature_extraction import MFCC, CachedTransformer, LogMelSpectrogram, TemporalPooling
from serkit.inference import iter_predictions
from serkit.neural_network import CRNNClassifier
from serkit.preprocessing import AudioLoader
from serkit.utils import AudioSegment, SignalWarning

RATE = 8000
WINDOW = {"n_fft": 256, "hop_length": 128, "sampling_rate": RATE}


def features():
    return [MFCC(n_mfcc=5, n_mels=12, **WINDOW), TemporalPooling()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Seven files of two rates and several lengths, some of them in a folder inside."""
    folder = tmp_path_factory.mktemp("audio")
    (folder / "inside").mkdir()
    rng = np.random.default_rng(0)
    for number in range(7):
        rate = RATE if number % 2 else 11025
        noise = rng.normal(size=(rate // 4) * (number + 2)) * (0.02, 0.2)[number % 2]
        name = f"inside/{number}.flac" if number > 4 else f"{number}.wav"
        soundfile.write(folder / name, noise, rate)
    (folder / "notes.txt").write_text("no audio")
    return folder


@pytest.fixture(scope="module")
def files(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))


@pytest.fixture(scope="module")
def y(files):
    return ["anger" if int(file.stem) % 2 else "calm" for file in files]


@pytest.fixture(scope="module")
def model(files, y):
    return make_pipeline(AudioLoader(RATE), *features(), LogisticRegression()).fit(files, y)


def test_a_folder_gives_what_predict_gives(model, folder, files):
    tables = list(iter_predictions(model, folder, batch_size=3))
    assert [len(table) for table in tables] == [3, 3, 1]
    table = pd.concat(tables)
    assert table.columns.tolist() == ["file", "start", "end", "prediction", "anger", "calm"]
    assert table.index.tolist() == list(range(7))
    assert table["file"].tolist() == list(map(str, files))
    assert table["prediction"].tolist() == model.predict(files).tolist()
    np.testing.assert_allclose(table[["anger", "calm"]], model.predict_proba(files), rtol=1e-5)
    durations = [soundfile.info(file).duration for file in files]
    np.testing.assert_allclose(table["end"], durations)
    assert tables[0].attrs == {"score_method": "predict_proba"}


def test_waveforms_are_loaded_for_a_model_that_takes_them(model, files, y):
    waveforms = AudioLoader(RATE).transform(files)
    of_waveforms = make_pipeline(*features(), LogisticRegression()).fit(waveforms, y)
    expected = pd.concat(iter_predictions(model, files))
    pd.testing.assert_frame_equal(pd.concat(iter_predictions(of_waveforms, files)), expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_files_are_asked_for_as_they_are_needed(model, files, n_jobs):
    asked = []

    def endless():
        for file in itertools.cycle(files):
            asked.append(file)
            yield file

    tables = iter_predictions(model, endless(), batch_size=2, n_jobs=n_jobs)
    for _ in range(3):
        next(tables)
    assert len(asked) < 100
    tables.close()


def test_jobs_change_nothing(model, folder):
    expected = pd.concat(iter_predictions(model, folder, batch_size=2))
    got = pd.concat(iter_predictions(model, folder, batch_size=2, n_jobs=2))
    pd.testing.assert_frame_equal(got, expected)


def test_windows_of_files(model, files):
    window, hop = 3000, 2000
    table = pd.concat(
        iter_predictions(model, files, window_length=window, hop_length=hop, batch_size=4)
    )
    for file in files:
        rows = table[table["file"] == str(file)]
        duration = soundfile.info(file).duration
        assert rows["start"].iloc[0] == 0
        assert rows["end"].iloc[-1] == pytest.approx(duration, abs=1 / RATE)
        np.testing.assert_allclose(np.diff(rows["start"])[:-1], hop / RATE)
        assert (np.diff(rows["start"]) <= hop / RATE + 1e-9).all()
        segments = [AudioSegment(file, *part) for part in rows[["start", "end"]].to_numpy()]
        np.testing.assert_allclose(rows["calm"], model.predict_proba(segments)[:, 1], rtol=1e-4)
    assert len(table) > 2 * len(files)


@pytest.mark.parametrize(("rate", "most"), [(8000, 0), (16000, 1), (11025, 1), (5512, 2)])
def test_how_exact_windows_are(model, tmp_path, rate, most):
    file = tmp_path / "noise.wav"
    soundfile.write(file, 0.1 * np.random.default_rng(0).normal(size=6 * rate), rate)
    (table,) = iter_predictions(model, file, window_length=3001, hop_length=701, batch_size=99)
    segments = [AudioSegment(file, *part) for part in table[["start", "end"]].to_numpy()]
    off = [len(waveform) - 3001 for waveform in AudioLoader(RATE).transform(segments)]
    assert max(map(abs, off)) <= most
    assert len(off) == 66


def test_windows_of_a_part_of_a_file(model, files):
    part = AudioSegment(files[4], 0.1, 0.9)
    table = pd.concat(iter_predictions(model, [part], window_length=RATE // 2))
    np.testing.assert_allclose(table[["start", "end"]], [[0.1, 0.6], [0.4, 0.9]])


def test_bad_files_are_named_or_skipped(model, files, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(files[0].read_bytes()[:3000])
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.full(4000, np.nan), RATE, subtype="FLOAT")
    mixed = [files[0], tmp_path / "gone.wav", files[1], cut, nan, files[2]]
    for bad, why in ((mixed[1], "no such file"), (cut, "breaks off"), (nan, "NaN")):
        with pytest.raises(ValueError, match=f"{bad.name}: .*{why}"):
            list(iter_predictions(model, [files[0], bad]))
    with pytest.warns(UserWarning, match="3 of 6 utterances could not be classified"):
        table = pd.concat(iter_predictions(model, mixed, on_error="skip", batch_size=4))
    assert table["error"].isna().tolist() == [True, False, True, False, False, True]
    assert table["prediction"].isna().tolist() == table["anger"].isna().tolist()
    assert table["prediction"].isna().tolist() == table["error"].notna().tolist()
    assert table["error"][1] == "no such file"
    assert table["error"][4] == "contains NaN or infinity"
    good = table[table["error"].isna()]
    expected = model.predict_proba(files[:3])
    np.testing.assert_allclose(good[["anger", "calm"]].astype(float), expected, rtol=1e-5)


@pytest.mark.parametrize("cached", [False, True])
def test_warnings_name_files(model, files, tmp_path, cached):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(4000), RATE)
    if cached:
        model = make_pipeline(CachedTransformer(model[:-1]), model[-1])
    with pytest.warns(SignalWarning, match=r"silent.wav contains only zeros") as caught:
        list(iter_predictions(model, [*files[:3], silent]))
    assert not any("utterance" in str(one.message) for one in caught)


def test_a_batch_without_any_good_file(model, tmp_path):
    gone = [tmp_path / "a.wav", tmp_path / "b.wav"]
    with pytest.warns(UserWarning, match="2 of 2"):
        (table,) = iter_predictions(model, gone, on_error="skip")
    assert table["error"].tolist() == ["no such file"] * 2
    assert table[["prediction", "anger", "calm"]].isna().all(axis=None)


def test_decision_values_of_two_and_of_three_classes(files, y):
    two = make_pipeline(AudioLoader(RATE), *features(), SVC()).fit(files, y)
    table = pd.concat(iter_predictions(two, files))
    assert table.attrs["score_method"] == "decision_function"
    np.testing.assert_allclose(table["calm"], two.decision_function(files), rtol=1e-4)
    np.testing.assert_array_equal(table["anger"], -table["calm"])
    three = make_pipeline(AudioLoader(RATE), *features(), SVC()).fit(files, [0, 1, 2, 0, 1, 2, 0])
    table = pd.concat(iter_predictions(three, files))
    np.testing.assert_allclose(table[[0, 1, 2]], three.decision_function(files), rtol=1e-4)


def test_regressors(files):
    y = np.arange(7.0)
    one = make_pipeline(AudioLoader(RATE), *features(), LinearRegression()).fit(files, y)
    (table,) = iter_predictions(one, files)
    assert table.columns.tolist() == ["file", "start", "end", "prediction"]
    np.testing.assert_allclose(table["prediction"], one.predict(files), atol=1e-3)
    assert table.attrs["score_method"] is None
    two = make_pipeline(AudioLoader(RATE), *features(), LinearRegression())
    (table,) = iter_predictions(two.fit(files, np.column_stack([y, -y])), files)
    assert table.columns.tolist()[3:] == ["prediction_0", "prediction_1"]


def test_networks_searches_and_frozen_models(files, y):
    network = CRNNClassifier(
        n_filters=2, rnn_hidden_size=4, hidden_layer_sizes=(4,), max_epochs=1, random_state=0
    )
    pipeline = make_pipeline(AudioLoader(RATE), LogMelSpectrogram(n_mels=8, **WINDOW), network)
    search = GridSearchCV(pipeline, {"crnnclassifier__lr": [1e-3]}, cv=2, scoring="accuracy")
    search.fit(files, y)
    for model in (search, search.best_estimator_, FrozenEstimator(search.best_estimator_)):
        (table,) = iter_predictions(model, files)
        assert table["prediction"].tolist() == search.predict(files).tolist()
        np.testing.assert_allclose(table["calm"], search.predict_proba(files)[:, 1], rtol=1e-4)


@pytest.mark.parametrize("use_cache", [False, True])
def test_caches_grow_only_when_asked_to(files, y, tmp_path, use_cache):
    steps = make_pipeline(AudioLoader(RATE), *features())
    cached = CachedTransformer(steps, tmp_path / "cache")
    model = make_pipeline(cached, LogisticRegression()).fit(files[:4], y[:4])

    def entries():
        return sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())

    before = entries()
    assert before
    table = pd.concat(iter_predictions(model, files, use_cache=use_cache))
    assert (len(entries()) > len(before)) is use_cache
    assert model[0].location == tmp_path / "cache"
    np.testing.assert_allclose(table["calm"], model.predict_proba(files)[:, 1], rtol=1e-5)


def test_what_cannot_be_done_is_said(model, files, folder, tmp_path, y):
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        iter_predictions(model, tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no audio files"):
        iter_predictions(model, tmp_path)
    with pytest.raises(TypeError, match="of type int"):
        iter_predictions(model, 3)
    with pytest.raises(TypeError, match="of type ndarray"):
        list(iter_predictions(model, [np.zeros(3)]))
    with pytest.raises(ValueError, match="hop_length has no effect"):
        iter_predictions(model, folder, hop_length=3)
    with pytest.raises(ValueError, match="window_length=0"):
        iter_predictions(model, folder, window_length=0)
    with pytest.raises(ValueError, match="on_error"):
        iter_predictions(model, folder, on_error="ignore")
    with pytest.raises(NotFittedError):
        iter_predictions(make_pipeline(AudioLoader(), SVC()), folder)
    with pytest.raises(TypeError, match="predicts nothing"):
        iter_predictions(model[0], folder)
    with pytest.raises(ValueError, match="no step of the model tells"):
        iter_predictions(SVC().fit([[0], [1]], [0, 1]), folder)
    shifted = make_pipeline(AudioLoader(RATE, start=0.1), *features(), SVC()).fit(files, y)
    with pytest.raises(ValueError, match="start, end or min_duration"):
        iter_predictions(shifted, folder, window_length=100)
    named = make_pipeline(AudioLoader(RATE), *features(), SVC())
    named.fit(files, ["file", "b"] * 3 + ["b"])
    with pytest.raises(ValueError, match="the classes \\['file'\\]"):
        iter_predictions(named, folder)


@pytest.mark.parametrize("windows", [False, True], ids=["files", "windows"])
def test_memory_is_flat(model, files, tmp_path, windows):
    """Ten times as much audio takes no more memory: all of it would be 13 MB."""
    second = np.random.default_rng(0).normal(size=2 * RATE) * 0.1
    soundfile.write(tmp_path / "short.wav", second, RATE)
    peaks = []
    for length in (20, 200):
        if windows:
            soundfile.write(tmp_path / f"{length}.wav", np.tile(second, length), RATE)
            run = iter_predictions(
                model, tmp_path / f"{length}.wav", window_length=2 * RATE, batch_size=4
            )
        else:
            run = iter_predictions(model, [tmp_path / "short.wav"] * length, batch_size=4)
        tracemalloc.start()
        n_rows = sum(len(table) for table in run)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        assert n_rows == length
    assert peaks[1] < peaks[0] + 1
