import pandas as pd
import pytest

from serkit.datasets import load_manifest
from serkit.utils import AudioSegment

CSV = """file,speaker,emotion,duration_s,note,session
a.wav,03,anger,0.5,NA,01
b.wav,08,sadness,,,02
"""


@pytest.fixture
def folder(tmp_path, write_audio):
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, seconds=0.25)
    (tmp_path / "mine.csv").write_text(CSV, "utf-8-sig")
    return tmp_path


def check(corpus):
    assert corpus.speakers.tolist() == ["03", "08"]
    assert corpus.y.tolist() == ["anger", "sadness"]
    assert corpus.table["session"].tolist() == ["01", "02"]
    assert corpus.table["duration"].tolist() == [0.5, 0.25]
    assert corpus.table["note"][0] == "NA"
    assert pd.isna(corpus.table["note"][1])


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "frame"])
def test_kinds_of_tables(folder, kind):
    table = pd.read_csv(folder / "mine.csv", dtype=str, keep_default_na=False, na_values=[""])
    path, root = folder / f"mine.{kind}", None
    if kind == "tsv":
        table.to_csv(path, sep="\t", index=False)
    elif kind == "parquet":
        pytest.importorskip("pyarrow")
        table.to_parquet(path)
    elif kind == "frame":
        path, root = table, folder
    corpus = load_manifest(path, root=root, columns={"duration_s": "duration"})
    check(corpus)
    assert corpus.name == (None if kind == "frame" else "mine")
    assert corpus.audio.tolist() == [str(folder / "a.wav"), str(folder / "b.wav")]


def test_root_and_name(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "table.csv"
    elsewhere.write_text(CSV)
    corpus = load_manifest(elsewhere, root=folder, name="mine")
    assert corpus.root == folder
    assert corpus.name == "mine"


def test_parts_of_files(folder):
    table = pd.DataFrame(
        {
            "file": ["a.wav", "a.wav", "a.wav"],
            "speaker": ["x", "y", "x"],
            "emotion": ["anger"] * 3,
            "start": ["", "0.1", "2"],
            "end": ["0.1", "", ""],
        }
    )
    table.to_csv(folder / "parts.csv", index=False)
    corpus = load_manifest(folder / "parts.csv")
    assert corpus.table["duration"].tolist()[:2] == pytest.approx([0.1, 0.15])
    assert pd.isna(corpus.table["duration"][2])
    assert corpus.audio[1] == AudioSegment(str(folder / "a.wav"), 0.1)


def test_missing_files(folder):
    (folder / "b.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"mine in .*: 1 of 2 files are missing: 'b\.wav'"):
        load_manifest(folder / "mine.csv")
    with pytest.warns(UserWarning, match="1 of 2 files are missing"):
        corpus = load_manifest(folder / "mine.csv", on_missing="warn")
    assert corpus.speakers.tolist() == ["03"]
    assert len(load_manifest(folder / "mine.csv", on_missing="ignore")) == 1
    with pytest.raises(ValueError, match="got 'skip'"):
        load_manifest(folder / "mine.csv", on_missing="skip")


def test_a_file_without_a_readable_header_has_no_duration(folder):
    (folder / "b.wav").write_text("no audio")
    corpus = load_manifest(folder / "mine.csv")
    assert corpus.table["duration"].isna().tolist() == [False, True]


def test_columns(folder):
    with pytest.raises(ValueError, match=r"no column 'length' to rename; it has 'file'"):
        load_manifest(folder / "mine.csv", columns={"length": "duration"})
    with pytest.raises(ValueError, match=r"no column 'speaker', 'emotion'.*columns="):
        load_manifest(pd.DataFrame({"file": ["a.wav"]}), root=folder)
    with pytest.raises(ValueError, match="'speaker' would be there twice"):
        load_manifest(folder / "mine.csv", columns={"session": "speaker"})


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["emodb", "ravdess", "nemo"])
def test_manifest_and_loader_agree(corpora, name):
    from serkit import datasets

    listed = load_manifest(corpora / name / "index.csv", columns={"duration_s": "duration"})
    loaded = getattr(datasets, f"load_{name}")(corpora / name)
    columns = ["file", "speaker", "gender", "emotion", "sentence", "duration"]
    pd.testing.assert_frame_equal(
        loaded.table[columns].sort_values("file", ignore_index=True),
        listed.table[columns].sort_values("file", ignore_index=True),
    )


def test_paths_of_windows(folder, write_audio):
    write_audio(folder / "wav" / "c.wav")
    (folder / "mine.csv").write_text("file,speaker,emotion\nwav\\c.wav,03,anger\n")
    corpus = load_manifest(folder / "mine.csv")
    assert corpus.table["file"].tolist() == ["wav/c.wav"]


def test_a_backslash_in_a_name_that_exists_stays(folder, write_audio):
    write_audio(folder / "wav\\c.wav")
    (folder / "mine.csv").write_text("file,speaker,emotion\nwav\\c.wav,03,anger\n")
    assert load_manifest(folder / "mine.csv").table["file"].tolist() == ["wav\\c.wav"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "No columns"),
        ("file,speaker,emotion\na.wav,J\u00f6rg,anger\n".encode("latin-1"), "utf-8"),
        (b"file,speaker,emotion\na.wav,03,anger\na,b,c,d,e\n", "line 3"),
    ],
)
def test_an_unreadable_table_is_named(folder, content, reason):
    (folder / "mine.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"mine\.csv cannot be read; .*UTF-8: .*{reason}"):
        load_manifest(folder / "mine.csv")


def test_a_table_without_rows(folder):
    (folder / "mine.csv").write_text("file,speaker,emotion\n")
    with pytest.raises(ValueError, match="mine has no utterances"):
        load_manifest(folder / "mine.csv", on_missing="ignore")
