import io
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from serkit.cli import main
from serkit.cli._arguments import CORPORA
from serkit.cli._feature_sets import FRAMES, FUNCTIONALS, make_features
from serkit.feature_extraction import MFCC
from serkit.preprocessing import AudioLoader


def features(*arguments):
    return main(["features", *map(str, arguments), "--quiet"])


def test_a_folder_becomes_a_table_and_bad_files_are_listed(recordings, tmp_path, capsys):
    output = tmp_path / "made" / "x.csv"
    assert features(recordings, "--set", "mfcc-stats", "--output", output) == 3
    shown = capsys.readouterr()
    assert shown.out == f"{output}: 2 utterances, 240 features\n"
    assert shown.err == (
        f"serkit: cannot be used: {recordings / 'broken.wav'}: Format not recognised.\n"
    )
    table = pd.read_csv(output)
    names = ["a_anger_0.wav", "a_calm_0.wav"]
    assert table["file"].tolist() == [str(recordings / "inside" / name) for name in names]
    expected = make_features("mfcc-stats", 16000).fit_transform(table["file"].tolist())
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-6)
    assert table.columns[1] == "c0_b0_mean"


def test_formats_hold_the_same(recordings, tmp_path):
    for suffix in (".csv", ".parquet", ".npz"):
        output = tmp_path / f"x{suffix}"
        assert features(recordings / "inside", "--set", "mfcc-stats", "--output", output) == 0
    table = pd.read_csv(tmp_path / "x.csv")
    parquet = pd.read_parquet(tmp_path / "x.parquet")
    assert list(parquet) == list(table)
    assert (parquet.dtypes[1:] == np.float32).all()
    with np.load(tmp_path / "x.npz") as archive:
        assert archive["file"].tolist() == table["file"].tolist() == parquet["file"].tolist()
        assert archive["feature_names"].tolist() == list(table)[1:]
        np.testing.assert_array_equal(archive["features"], parquet.iloc[:, 1:])
    np.testing.assert_allclose(table.iloc[:, 1:], parquet.iloc[:, 1:], rtol=1e-6)


def test_a_corpus_brings_what_is_known_of_it(manifest, tmp_path):
    output = tmp_path / "x.parquet"
    assert features(manifest, "--set", "mfcc-stats", "--output", output) == 0
    table = pd.read_parquet(output)
    assert list(table)[:3] == ["file", "speaker", "emotion"]
    assert len(table) == 18
    assert set(table["speaker"]) == {"a", "b", "c"}


def test_frames_keep_their_lengths(recordings, tmp_path):
    output = tmp_path / "x.npz"
    long = recordings / "long.wav"
    soundfile.write(long, 0.1 * np.random.default_rng(0).normal(size=20000), 16000)
    files = [long, recordings / "inside" / "a_calm_0.wav"]
    assert features(*files, "--set", "mfcc", "--output", output, "--n-jobs", 2) == 0
    mfcc = MFCC(20, n_fft=512, hop_length=160)
    expected = mfcc.fit_transform(AudioLoader().fit_transform(list(map(str, files))))
    with np.load(output) as archive:
        assert archive["file"].tolist() == list(map(str, files))
        for number, frames in enumerate(expected):
            np.testing.assert_array_equal(archive[f"frames_{number}"], frames)
        assert archive["frames_0"].shape[2] > archive["frames_1"].shape[2]


def test_names_come_from_standard_input(recordings, tmp_path, capsys, monkeypatch):
    file = recordings / "inside" / "a_calm_0.wav"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{file}\n\n"))
    assert features("-", "--set", "mfcc-stats", "--output", tmp_path / "x.csv", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["utterances"] == 1
    assert found["failed"] == []
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert features("-", "--set", "mfcc-stats", "--output", tmp_path / "x.csv") == 1
    assert "no files are named" in capsys.readouterr().err


def test_what_is_in_the_cache_is_not_computed_again(recordings, tmp_path, monkeypatch):
    arguments = [recordings / "inside", "--set", "mfcc-stats", "--cache", tmp_path / "cache"]
    assert features(*arguments, "--output", tmp_path / "x.csv") == 0
    calls = []
    load = AudioLoader._make_kernel

    def counted(self):
        kernel = load(self)
        return lambda item: calls.append(item) or kernel(item)

    monkeypatch.setattr(AudioLoader, "_make_kernel", counted)
    assert features(*arguments, "--output", tmp_path / "y.csv") == 0
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    assert len(calls) <= 1  # one utterance shows what the features are called


def test_strict_writes_nothing(recordings, tmp_path, capsys):
    (tmp_path / "x.npz").write_text("from before")
    arguments = [recordings, "--set", "mfcc", "--output", tmp_path / "x.npz", "--strict"]
    assert features(*arguments) == 1
    assert "broken.wav: Format not recognised." in capsys.readouterr().err
    assert (tmp_path / "x.npz").read_text() == "from before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recordings", "x.npz"]


def test_warnings_name_files(recordings, tmp_path, capsys):
    for name in ("short_1.wav", "short_2.wav"):
        soundfile.write(recordings / "inside" / name, np.full(200, 0.1), 16000)
    output = tmp_path / "x.npz"
    assert features(recordings / "inside", "--set", "mfcc", "--output", output) == 0
    notes = capsys.readouterr().err
    assert "short_1.wav" in notes
    assert "short_2.wav" in notes
    assert "utterance" not in notes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--set", "mfcc", "--output", "x.csv"], "let --output end in .npz"),
        (["x", "--set", "egemaps", "--output", "x.txt"], "has to end in .csv, .npz, .parquet"),
        (["x", "--set", "egemaps", "--output", "made/x.npz"], "is a folder"),
        (["synthetic", "x.wav", "--set", "mfcc", "--output", "x.npz"], "has to stand alone"),
        (["x", "--set", "none", "--output", "x.npz"], "invalid choice: 'none'"),
        (["x", "--set", "mfcc", "--output", "x.npz", "--n-jobs", "0"], "no number of jobs"),
        (
            ["synthetic", "--set", "mfcc", "--output", "x.npz", "--sampling-rate", "8000"],
            "made at 16000 Hz",
        ),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made" / "x.npz").mkdir(parents=True)
    with pytest.raises(SystemExit) as caught:
        features(*arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.wav", "nowhere.wav: no such file"),
        ("nowhere", "nowhere: no such file"),
        ("empty", "the folder empty has no audio files"),
        ("emodb", "where is emodb? Give its folder: --data PATH"),
    ],
)
def test_errors_name_what_is_missing(name, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert features(name, "--set", "mfcc", "--output", "x.npz") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("name", [*FUNCTIONALS, *FRAMES])
def test_every_set_computes(name, manifest):
    if name in FUNCTIONALS[1:] or name.endswith("lld"):
        pytest.importorskip("opensmile")
    (made,) = make_features(name, 16000).fit_transform([str(manifest.parent / "a_calm_0.wav")])
    sizes = {"egemaps": 88, "gemaps": 62, "compare": 6373, "emobase": 988, "is10": 1582}
    sizes |= {"is09": 384, "is11": 4368, "is12": 6125, "is13": 6373, "mfcc-stats": 240}
    assert made.shape == (sizes[name],) if name in FUNCTIONALS else made.ndim == 3


def test_corpora_of_the_command_line_are_known():
    from serkit.datasets import load_corpus

    for name in CORPORA:
        with pytest.raises(ValueError, match=f"where is {name}"):
            load_corpus(name)
