import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from serkit.preprocessing import AudioLoader, PadOrTruncate
from serkit.utils import AudioSegment, as_ragged


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    def write(name, samples, rate=16000, **options):
        path = tmp_path / name
        soundfile.write(path, samples, rate, **options)
        return path

    return write


def noise(rng, n_samples, *channels):
    return rng.uniform(-0.5, 0.5, size=(n_samples, *channels))


def test_samples_are_those_of_the_file(rng, write):
    samples = np.round(noise(rng, 1000) * 32768) / 32768
    for name in ("a.wav", "a.flac"):
        (waveform,) = AudioLoader().fit_transform([write(name, samples)])
        assert waveform.dtype == np.float32
        np.testing.assert_array_equal(waveform, samples.astype(np.float32))


@pytest.mark.parametrize("convert", [list, tuple, np.array, pd.Series, as_ragged])
def test_every_container_of_paths_goes_out_ragged(rng, write, convert):
    paths = [str(write(f"{i}.wav", noise(rng, 800))) for i in range(2)]
    waveforms = AudioLoader().fit_transform(convert(paths))
    assert waveforms.dtype == object
    assert [len(waveform) for waveform in waveforms] == [800, 800]


def test_channels(rng, write):
    samples = np.round(noise(rng, 500, 3) * 32768) / 32768
    path = write("a.wav", samples)
    (mean,) = AudioLoader().fit_transform([path])
    np.testing.assert_allclose(mean, samples.mean(axis=1), atol=1e-7)
    (second,) = AudioLoader(channel=1).fit_transform([path])
    np.testing.assert_array_equal(second, samples[:, 1].astype(np.float32))
    with pytest.raises(ValueError, match="has 3 channels, no channel 3"):
        AudioLoader(channel=3).fit_transform([path])


@pytest.mark.parametrize("native", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [(), (2,)])
def test_values_equal_librosa(rng, write, librosa, native, channels):
    path = write("a.wav", noise(rng, 5001, *channels), native)
    expected, _ = librosa.load(path, sr=16000)
    (waveform,) = AudioLoader(16000).fit_transform([path])
    np.testing.assert_array_equal(waveform, expected)


def test_sampling_rate_none_keeps_the_common_rate(rng, write):
    paths = [write(f"{i}.wav", noise(rng, 441), 44100) for i in range(2)]
    loader = AudioLoader(sampling_rate=None)
    assert [len(waveform) for waveform in loader.fit_transform(paths)] == [441, 441]
    other = write("other.wav", noise(rng, 441), 48000)
    message = r"44100 Hz in utterance 0 \(.*0.wav\), 48000 Hz in utterance 2 \(.*other.wav\)"
    with pytest.raises(ValueError, match=message):
        loader.fit_transform([*paths, other])


def test_parts_of_files(rng, write):
    samples = np.round(noise(rng, 16000) * 32768).astype(np.int16)
    path = write("a.wav", samples)
    whole = samples / np.float32(32768)

    def load(item, **params):
        (waveform,) = AudioLoader(**params).fit_transform([item])
        return waveform

    np.testing.assert_array_equal(load(AudioSegment(path, 0.25, 0.5)), whole[4000:8000])
    np.testing.assert_array_equal(load(AudioSegment(path, 0.25)), whole[4000:])
    np.testing.assert_array_equal(load(path, start=0.25, end=0.5), whole[4000:8000])
    np.testing.assert_array_equal(load(path, start=0.25, end=7), whole[4000:])
    inner = load(AudioSegment(path, 0.25, 0.75), start=0.125, end=0.25)
    np.testing.assert_array_equal(inner, whole[6000:8000])


def test_start_and_end_cut_waveforms_in_memory_as_files(rng, write):
    samples = np.round(noise(rng, 16000) * 32768) / 32768
    loader = AudioLoader(start=0.25, end=0.5, dtype="float64")
    cut = loader.fit_transform([write("a.wav", samples), samples])
    np.testing.assert_array_equal(*cut)
    assert loader.fit_transform(samples[None]).shape == (1, 4000)


def test_waveforms_in_memory_are_cast_and_pass(rng):
    single, double = noise(rng, 30).astype(np.float32), noise(rng, 40)
    loaded = AudioLoader().fit_transform([single, double])
    np.testing.assert_array_equal(loaded[0], single)
    np.testing.assert_array_equal(loaded[1], double.astype(np.float32))
    assert AudioLoader(dtype="float64").fit_transform([single])[0].dtype == np.float64
    numeric = AudioLoader(sampling_rate=None).fit_transform(np.stack([double, double]))
    assert numeric.shape == (2, 40)
    assert numeric.dtype == np.float32


def test_times_of_waveforms_in_memory_need_the_rate(rng):
    with pytest.raises(ValueError, match="need its sampling_rate"):
        AudioLoader(sampling_rate=None, start=0.1).fit_transform([noise(rng, 4000)])


def test_min_duration_is_where_too_short_is_an_error(rng, write):
    paths = [write(f"{n}.wav", noise(rng, n)) for n in (1600, 1599)]
    assert len(AudioLoader().fit_transform(paths)) == 2
    assert len(AudioLoader(min_duration=0.1).fit_transform(paths[:1])) == 1
    with pytest.raises(ValueError, match=r"utterance 1 \(.*1599.wav\): 0.100 s are shorter than"):
        AudioLoader(min_duration=0.1).fit_transform(paths)
    with pytest.raises(ValueError, match="utterance 0: .* shorter than min_duration=2 s"):
        AudioLoader(min_duration=2.0).fit_transform([noise(rng, 1600)])


def test_one_error_names_all_bad_files(rng, write, tmp_path):
    good = write("good.wav", noise(rng, 1600))
    not_finite = noise(rng, 1600)
    not_finite[7] = np.nan
    cut_off = tmp_path / "cut_off.flac"
    cut_off.write_bytes(write("whole.flac", noise(rng, 50000)).read_bytes()[:20000])
    empty, text, raw = tmp_path / "empty.wav", tmp_path / "text.wav", tmp_path / "a.raw"
    empty.touch()
    text.write_text("not audio")
    raw.write_bytes(b"0123")
    bad = {
        tmp_path / "missing.wav": "no such file",
        empty: "the file is empty",
        text: "Format not recognised",
        raw: "samplerate must be specified",
        cut_off: "",
        write("nothing.wav", np.zeros(0)): "no samples",
        write("nan.wav", not_finite, subtype="FLOAT"): "contains NaN or infinity",
        AudioSegment(good, 0.05, 0.2): "0.05 s to 0.2 s is no part of its 0.1 s",
        tmp_path: "",
    }
    items = as_ragged([good, *bad])
    with pytest.raises(ValueError, match="9 of 10 utterances cannot be loaded") as caught:
        AudioLoader().fit_transform(items)
    message = str(caught.value)
    for row, (item, reason) in enumerate(bad.items(), start=1):
        assert f"utterance {row} ({item}): {reason}" in message
    assert "utterance 0" not in message
    assert "Corpus.check_audio(on_error='skip')" in message


def test_error_lists_ten_and_counts_the_rest():
    with pytest.raises(ValueError, match="and 4 more") as caught:
        AudioLoader(n_jobs=2).fit_transform([f"missing/{i}.wav" for i in range(14)])
    assert len(re.findall(r"utterance \d", str(caught.value))) == 10


def test_advice_of_the_error_holds(rng, write, tmp_path):
    from serkit.datasets import Corpus

    good = write("good.wav", noise(rng, 1600))
    corpus = Corpus({"file": [good.name, "missing.wav"]}, root=tmp_path)
    kept, report = corpus.check_audio(on_error="skip")
    assert len(AudioLoader().fit_transform(kept.audio)) == 1
    assert report["file"].tolist() == ["missing.wav"]


def test_start_behind_the_end(rng, write):
    path = write("a.wav", noise(rng, 1600))
    with pytest.raises(ValueError, match="start=0.2 s is behind its 0.100 s"):
        AudioLoader(start=0.2).fit_transform([path])
    with pytest.raises(ValueError, match="end=0.1 has to be greater than start=0.2"):
        AudioLoader(start=0.2, end=0.1).fit_transform([path])


def test_a_single_path_is_refused_with_a_hint():
    with pytest.raises(TypeError, match=r"single path; give a list of paths: \['a.wav'\]"):
        AudioLoader().fit("a.wav")


def test_fit_reads_nothing():
    assert AudioLoader().fit(["missing.wav"]) is not None


def test_parallel_and_pickled_loaders_are_equal(rng, write):
    paths = [write(f"{i}.wav", noise(rng, 500 + 100 * i), 22050) for i in range(6)]
    loader = AudioLoader().fit(paths)
    expected = loader.transform(paths)
    for other in (AudioLoader(n_jobs=2), pickle.loads(pickle.dumps(loader))):
        for a, b in zip(other.transform(paths), expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_cross_validation_from_files(write):
    time = np.arange(4000) / 16000
    paths, y = [], []
    for i, frequency in enumerate([200, 230, 260, 290, 2000, 2300, 2600, 2900]):
        paths.append(str(write(f"{i}.wav", 0.5 * np.sin(2 * np.pi * frequency * time[: 3000 + i]))))
        y.append("low" if frequency < 1000 else "high")
    zero_crossings = FunctionTransformer(
        lambda X: np.array([[np.mean(np.diff(np.sign(x)) != 0)] for x in X])
    )
    pipeline = make_pipeline(AudioLoader(), PadOrTruncate(length=3000), zero_crossings, SVC())
    with pytest.warns(UserWarning, match="longer than 3000 samples"):
        scores = cross_val_score(pipeline, paths, y, cv=2)
    assert scores.tolist() == [1.0, 1.0]


@pytest.mark.corpus
def test_real_files(corpora: Path, librosa):
    paths = sorted((corpora / "ravdess").rglob("*.flac"))[:2]
    for path, waveform in zip(paths, AudioLoader(8000).fit_transform(paths), strict=True):
        np.testing.assert_array_equal(waveform, librosa.load(path, sr=8000)[0])
