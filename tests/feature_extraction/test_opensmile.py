import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from serkit.feature_extraction import OpenSmileDescriptors, OpenSmileFunctionals
from serkit.utils import SignalWarning, estimator_digest

opensmile = pytest.importorskip("opensmile")

DIMENSIONS = {
    "IS09": (384, 16),
    "IS10": (1582, 38),
    "IS11": (4368, 59),
    "IS12": (6125, 64),
    "IS13": (6373, 65),
    "ComParE_2016": (6373, 65),
    "eGeMAPSv02": (88, 25),
    "eGeMAPSv01b": (88, 23),
    "eGeMAPSv01a": (88, 23),
    "eGeMAPS": (88, 23),
    "GeMAPSv01b": (62, 18),
    "GeMAPSv01a": (62, 18),
    "GeMAPS": (62, 18),
    "emobase": (988, 26),
}


def voice(n_samples=4800, f0=150, peak=0.5, seed=0):
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * f0 * np.arange(n_samples) / 16000
    signal = sum(np.sin(k * phase) / k for k in range(1, 12)) + 0.01 * rng.normal(size=n_samples)
    return (peak * signal / signal[np.abs(signal).argmax()]).astype(np.float32)


def test_every_shipped_set_is_known():
    assert set(DIMENSIONS) == set(opensmile.FeatureSet.__members__)


@pytest.mark.filterwarnings("ignore:Feature set")
@pytest.mark.parametrize("feature_set", DIMENSIONS)
def test_dimensions(feature_set):
    n_functionals, n_descriptors = DIMENSIONS[feature_set]
    X = [voice(2400)]
    smile = OpenSmileFunctionals(feature_set, expected_dim=n_functionals)
    functionals = smile.fit_transform(X)
    assert functionals.shape == (1, n_functionals)
    assert functionals.dtype == np.float32
    assert len(set(smile.get_feature_names_out())) == n_functionals
    (frames,) = OpenSmileDescriptors(feature_set, expected_dim=n_descriptors).fit_transform(X)
    assert frames.shape == (1, n_descriptors, frames.shape[-1])
    assert frames.shape[-1] > 3


def test_values_equal_the_raw_call():
    X = [voice(4800), voice(3200, f0=220)]
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02)
    raw = np.vstack([smile.process_signal(x, 16000).to_numpy() for x in X])
    transformer = OpenSmileFunctionals("eGeMAPSv02").fit(X)
    np.testing.assert_array_equal(transformer.transform(X), raw)
    table = transformer.set_output(transform="pandas").transform(X)
    assert list(table.columns) == smile.feature_names
    level = opensmile.FeatureLevel.LowLevelDescriptors
    raw = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, level).process_signal(X[0], 16000)
    descriptors = OpenSmileDescriptors("eGeMAPSv02").fit(X)
    np.testing.assert_array_equal(descriptors.transform(X)[0][0], raw.to_numpy().T)
    assert list(descriptors.feature_names_) == list(raw.columns)


def test_the_rate_is_passed_on():
    x = voice()
    raw = opensmile.Smile(opensmile.FeatureSet.IS09).process_signal(x, 22050).to_numpy()
    ours = OpenSmileFunctionals("IS09", sampling_rate=22050).fit_transform([x])
    np.testing.assert_array_equal(ours, raw)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("feature_set", ["IS10", "eGeMAPSv02"])
def test_the_padded_length_is_enough_at_any_rate(feature_set, rate):
    with pytest.warns(SignalWarning):
        features = OpenSmileFunctionals(feature_set, sampling_rate=rate).fit_transform(
            [voice(int(0.05 * rate))]
        )
    assert np.isfinite(features).all()


def test_full_scale_does_not_wrap_around():
    """A sample of +1.0 must not become -1.0 when it is cast to 16 bit."""
    full, nearly = voice(peak=1.0), voice(peak=0.99999)
    assert full.max() == 1.0
    smile = OpenSmileFunctionals("eGeMAPSv02").fit([full])
    ours = smile.transform([full, nearly])
    np.testing.assert_allclose(ours[0], ours[1], rtol=1e-2, atol=1e-2)
    raw = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02)
    wrapped = raw.process_signal(full, 16000).to_numpy()
    assert np.abs(wrapped - ours[0]).max() > 1, "the trap is gone: the clipping may go too"
    with pytest.warns(SignalWarning, match="beyond"):
        loud = smile.transform([1.3 * full])
    np.testing.assert_array_equal(loud, smile.transform([np.clip(1.3 * full, -1, 1)]))


def test_parallel_and_pickled_copies_are_equal():
    X = [voice(3200, f0=f0) for f0 in (100, 140, 180, 220)]
    sequential = OpenSmileFunctionals("eGeMAPSv02").fit(X)
    expected = sequential.transform(X)
    copy = pickle.loads(pickle.dumps(sequential))
    np.testing.assert_array_equal(copy.set_params(n_jobs=2).transform(X), expected)


@pytest.mark.slow
def test_processes_are_equal():
    X = [voice(3200, f0=f0) for f0 in (100, 140, 180, 220)]
    expected = OpenSmileFunctionals("IS09").fit_transform(X)
    with parallel_config("loky", n_jobs=2):
        np.testing.assert_array_equal(OpenSmileFunctionals("IS09").fit_transform(X), expected)


def test_short_signals_are_padded_and_named():
    smile = OpenSmileFunctionals("ComParE_2016").fit([voice()])
    with pytest.warns(SignalWarning, match="utterance 1 of fewer than 1120 samples"):
        features = smile.transform([voice(1200), voice(200)])
    assert np.isfinite(features).all()
    padded = np.pad(voice(200), (0, 920))
    np.testing.assert_array_equal(features[1:], smile.transform([padded]))


def test_silence_is_finite():
    with pytest.warns(SignalWarning, match="zeros"):
        features = OpenSmileFunctionals("eGeMAPSv02").fit_transform([np.zeros(3200, np.float32)])
    assert np.isfinite(features).all()


def test_remaining_nan_names_the_row_or_becomes_zero(monkeypatch):
    values = {3200: np.array([[[1.0], [np.nan]]], np.float32), 3201: np.ones((1, 2, 1), np.float32)}
    monkeypatch.setattr(opensmile.Smile, "__call__", lambda self, x, rate: values[len(x)])
    X = [voice(3201), voice(3200)]
    with pytest.raises(ValueError, match="NaN or infinity for utterance 1"):
        OpenSmileFunctionals("IS09").fit_transform(X)
    repaired = OpenSmileFunctionals("IS09", on_nan="zero").fit_transform(X)
    np.testing.assert_array_equal(repaired, [[1, 1], [1, 0]])


def test_own_configuration(tmp_path):
    shipped = Path(opensmile.__file__).parent / "core/config/is09-13"
    for file in shipped.glob("IS10*"):
        shutil.copy(file, tmp_path)
    config = tmp_path / "IS10_paraling_compat.conf"
    shutil.copytree(shipped.parent / "shared", tmp_path.parent / "shared", dirs_exist_ok=True)
    own = OpenSmileFunctionals(config_path=config, expected_dim=1582)
    X = [voice()]
    np.testing.assert_array_equal(
        own.fit_transform(X), OpenSmileFunctionals("IS10").fit_transform(X)
    )
    with pytest.raises(ValueError, match=r"gives 1582 features at level 'func', but .*5757"):
        OpenSmileFunctionals(config_path=config, expected_dim=5757).fit(X)


@pytest.mark.parametrize(
    "include",
    [
        "egemaps/v02/eGeMAPSv02.conf",
        "egemaps/v02/eGeMAPSv02_core.lld.conf.inc",
        "gemaps/v01b/GeMAPSv01b_core.func.conf.inc",
        "shared/BufferModeRb.conf.inc",
    ],
)
def test_a_changed_include_changes_the_cache_key(tmp_path, include):
    shipped = Path(opensmile.__file__).parent / "core/config"
    for copy in (tmp_path / "a", tmp_path / "b"):
        shutil.copytree(shipped, copy)
    own, moved = (
        OpenSmileFunctionals(config_path=tmp_path / name / "egemaps/v02/eGeMAPSv02.conf")
        for name in "ab"
    )
    assert estimator_digest(own) == estimator_digest(moved)
    changed = tmp_path / "a" / include
    changed.write_text(changed.read_text() + "\n")
    assert estimator_digest(own) != estimator_digest(moved)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"feature_set": "IS14"}, ValueError, "unknown feature_set 'IS14'; choose from .*IS13"),
        ({"expected_dim": 385}, ValueError, "IS09 gives 384 features .*expected_dim=385"),
        ({"config_path": "/no/such.conf"}, FileNotFoundError, "is not a file"),
        ({"level": "lld"}, ValueError, "use OpenSmileDescriptors"),
        ({"level": "nonsense"}, ValueError, "nonsense"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        OpenSmileFunctionals(**{"feature_set": "IS09", **parameters}).fit_transform([voice()])


@pytest.mark.corpus
def test_emodb_equals_the_raw_call(corpora):
    files = sorted((corpora / "emodb").rglob("*.flac"))[:3]
    X = [soundfile.read(file, dtype="float32")[0] for file in files]
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016)
    raw = np.vstack([smile.process_signal(x, 16000).to_numpy() for x in X])
    np.testing.assert_array_equal(OpenSmileFunctionals("ComParE_2016").fit_transform(X), raw)
