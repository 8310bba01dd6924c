import pickle

import numpy as np
import pandas as pd
import pytest

from serkit.datasets import Corpus
from serkit.preprocessing import AudioLoader
from serkit.utils import AudioSegment

TABLE = pd.DataFrame(
    {
        "file": ["a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"],
        "speaker": ["03", "03", "08", "08"],
        "gender": ["male", "male", "female", "female"],
        "emotion": ["anger", "sadness", "anger", "calm"],
        "sentence": ["s1", "s2", "s1", "s2"],
        "room": ["x", "y", "x", "y"],
    }
)
COLUMNS = [
    "file",
    "speaker",
    "gender",
    "emotion",
    "sentence",
    "session",
    "start",
    "end",
    "partition",
    "duration",
]


@pytest.fixture
def on_disk(tmp_path):
    return Corpus(TABLE, root=tmp_path, name="disk")


@pytest.fixture
def in_memory():
    waveforms = [np.full(n, 0.1, dtype=np.float32) for n in (800, 1600, 1600, 1600)]
    return Corpus(TABLE, waveforms=waveforms, sampling_rate=16000, name="memory")


@pytest.fixture(params=["on_disk", "in_memory"])
def corpus(request):
    return request.getfixturevalue(request.param)


def test_table_has_all_columns_first_and_keeps_others(corpus):
    assert corpus.table.columns.tolist() == [*COLUMNS, "room"]
    assert corpus.table["session"].isna().all()
    assert corpus.table["start"].dtype == float


def test_labels_are_object_arrays(corpus):
    assert corpus.y.tolist() == ["anger", "sadness", "anger", "calm"]
    assert corpus.speakers.tolist() == ["03", "03", "08", "08"]
    assert corpus.genders.tolist() == ["male", "male", "female", "female"]
    assert {corpus.y.dtype, corpus.speakers.dtype, corpus.genders.dtype} == {np.dtype(object)}
    assert corpus.emotions == ["anger", "calm", "sadness"]
    assert len(corpus) == 4


def test_missing_labels_are_none():
    corpus = Corpus({"file": ["1.wav", "2.wav"], "speaker": ["a", None]})
    assert corpus.speakers.tolist() == ["a", None]
    assert corpus.y.tolist() == [None, None]
    assert corpus.emotions == []


def test_audio_of_files_is_paths_and_segments(tmp_path):
    table = {
        "file": ["1.wav", "2.wav", "3.wav", "/elsewhere/4.wav"],
        "start": [None, 0.5, None, None],
        "end": [None, None, 2, None],
    }
    audio = Corpus(table, root=tmp_path).audio
    assert audio.shape == (4,)
    assert audio.dtype == object
    assert audio[0] == str(tmp_path / "1.wav")
    assert audio[1] == AudioSegment(str(tmp_path / "2.wav"), 0.5, None)
    assert audio[2] == AudioSegment(str(tmp_path / "3.wav"), 0.0, 2.0)
    assert audio[3] == "/elsewhere/4.wav"


def test_audio_without_root_is_below_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Corpus({"file": ["x/../1.wav"]}).audio[0] == str(tmp_path / "1.wav")


def test_audio_in_memory_is_ragged_even_for_equal_lengths():
    corpus = Corpus({"speaker": ["a", "b"]}, waveforms=np.zeros((2, 100)), sampling_rate=100)
    assert corpus.audio.shape == (2,)
    assert corpus.audio[0].shape == (100,)
    assert corpus.table["duration"].tolist() == [1.0, 1.0]
    assert corpus.sampling_rate == 100


def test_waveforms_are_not_cut_again_where_they_come_from_a_part():
    corpus = Corpus({"start": [1.0], "end": [2.0]}, waveforms=[np.zeros(50)], sampling_rate=100)
    assert corpus.audio[0].size == 50
    assert corpus.table["duration"].tolist() == [0.5]


def test_duration_of_a_part():
    corpus = Corpus({"file": ["1.wav", "1.wav"], "start": [None, 1.5], "end": [1.5, None]})
    assert corpus.table["duration"].fillna(-1).tolist() == [1.5, -1.0]


def test_codes_given_as_numbers_become_text():
    corpus = Corpus({"file": ["1.wav", "2.wav"], "speaker": [3, 8], "session": [1.0, np.nan]})
    assert corpus.speakers.tolist() == ["3", "8"]
    assert corpus.table["session"].tolist() == ["1", pd.NA]


def test_the_table_is_a_copy(corpus):
    table = corpus.table
    table["speaker"] = "changed"
    assert corpus.speakers[0] == "03"


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (1, [1]),
        (-1, [3]),
        (np.int64(2), [2]),
        (slice(1, None, 2), [1, 3]),
        (np.array([True, False, False, True]), [0, 3]),
        (np.array([3, 0, 0]), [3, 0, 0]),
        ([2, 1], [2, 1]),
        ([], []),
    ],
)
def test_indexing(corpus, key, rows):
    part = corpus[key]
    assert isinstance(part, Corpus)
    assert part.table["file"].tolist() == TABLE["file"].iloc[rows].tolist()
    assert part.table.index.tolist() == list(range(len(rows)))
    assert [len(item) for item in part.audio] == [len(corpus.audio[row]) for row in rows]
    assert (part.root, part.name, part.sampling_rate) == (
        corpus.root,
        corpus.name,
        corpus.sampling_rate,
    )


def test_indexing_by_a_comparison_of_the_table(corpus):
    assert len(corpus[corpus.table["emotion"] == "anger"]) == 2
    assert len(corpus[corpus.table["session"].notna()]) == 0


def test_iteration_yields_one_utterance_at_a_time(corpus):
    assert [one.y.tolist() for one in corpus] == [["anger"], ["sadness"], ["anger"], ["calm"]]


def test_indexing_by_a_name_or_beyond_the_end_raises(corpus):
    with pytest.raises(TypeError, match="select"):
        corpus["speaker"]
    with pytest.raises(IndexError):
        corpus[4]


def test_select(corpus):
    assert corpus.select(emotion="anger", speaker="08").table["file"].tolist() == ["b/1.wav"]
    assert len(corpus.select(emotion=["calm", "sadness"])) == 2
    assert len(corpus.select(room="x")) == 2
    assert len(corpus.select(speaker="03", emotion="calm")) == 0


def test_select_of_what_is_not_there_raises(corpus):
    with pytest.raises(ValueError, match=r"no column 'emotoin'.*'emotion'"):
        corpus.select(emotoin="anger")
    with pytest.raises(ValueError, match=r"nowhere 'angry'.*'anger', 'sadness', 'calm'"):
        corpus.select(emotion=["anger", "angry"])
    with pytest.raises(ValueError, match="nowhere 3;"):
        corpus.select(speaker=3)


def test_map_labels(corpus):
    swapped = corpus.map_labels({"anger": "sadness", "sadness": "anger", "boredom": "calm"})
    assert swapped.y.tolist() == ["sadness", "anger", "sadness", "calm"]
    kept = corpus.map_labels({"anger": "negative", "sadness": "negative"}, drop_unmapped=True)
    assert kept.y.tolist() == ["negative"] * 3
    assert len(kept.audio) == 3
    assert corpus.y.tolist() == ["anger", "sadness", "anger", "calm"]
    with pytest.raises(ValueError, match="'angry' occurs"):
        corpus.map_labels({"angry": "anger"})


def test_describe(in_memory):
    counts = in_memory.describe()
    assert counts.columns.tolist() == ["gender", "anger", "calm", "sadness", "all", "duration"]
    assert counts.loc["03"].tolist() == ["male", 1, 0, 1, 2, pytest.approx(0.15)]
    assert counts.loc["08"].tolist() == ["female", 1, 1, 0, 2, pytest.approx(0.2)]
    assert counts.loc["all"].tolist()[1:] == [2, 1, 1, 4, pytest.approx(0.35)]


def test_describe_without_labels():
    counts = Corpus({"file": ["1.wav"]}).describe()
    assert counts.loc["?", "?"] == 1
    assert np.isnan(counts.loc["all", "duration"])


def test_repr_tells_the_essentials(on_disk, in_memory, tmp_path):
    assert repr(in_memory).splitlines() == [
        "Corpus 'memory': 4 utterances, 2 speakers (1 female, 1 male), 0.0 min",
        "  anger 2, calm 1, sadness 1",
        "  waveforms in memory at 16000 Hz",
    ]
    assert f"files in {tmp_path}" in repr(on_disk)
    assert repr(Corpus({"file": ["1.wav"]})) == (
        "Corpus: 1 utterances, 0 speakers\n  files in the working folder"
    )
    assert "0 utterances" in repr(in_memory[[]])


def test_html_repr_is_escaped_and_has_the_counts(in_memory):
    in_memory.name = "<b>"
    html = in_memory._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "<table" in html


def test_an_empty_part_can_be_shown(corpus):
    empty = corpus[[]]
    assert empty.describe().index.tolist() == ["all"]
    assert "0 utterances" in empty._repr_html_()


def test_disk_and_memory_are_the_same_downstream(tmp_path, write_audio):
    for name in ("1.wav", "2.flac"):
        write_audio(tmp_path / name, seconds=0.2)
    table = {"file": ["1.wav", "2.flac"], "emotion": ["anger", "calm"], "start": [None, 0.05]}
    on_disk = Corpus(table, root=tmp_path)
    loader = AudioLoader(sampling_rate=16000)
    waveforms = loader.fit_transform(on_disk.audio)
    in_memory = Corpus(on_disk.table, waveforms=waveforms, sampling_rate=16000)
    for one, other in zip(loader.fit_transform(in_memory.audio), waveforms, strict=True):
        np.testing.assert_array_equal(one, other)
    assert in_memory.y.tolist() == on_disk.y.tolist()
    checked = [corpus.check_audio()[0].table["duration"] for corpus in (on_disk, in_memory)]
    assert checked[0].tolist() == checked[1].tolist() == pytest.approx([0.2, 0.15])


def test_pickle(corpus):
    copy = pickle.loads(pickle.dumps(corpus))
    pd.testing.assert_frame_equal(copy.table, corpus.table)
    assert all(np.array_equal(a, b) for a, b in zip(copy.audio, corpus.audio, strict=True))
    assert (copy.root, copy.name) == (corpus.root, corpus.name)


def test_concat_of_parts_changes_nothing_but_the_order(corpus):
    whole = Corpus.concat([corpus[2:], corpus[:2]])
    assert whole.name == corpus.name
    assert whole.speakers.tolist() == ["08", "08", "03", "03"]
    assert [len(item) for item in whole.audio] == [len(corpus.audio[i]) for i in (2, 3, 0, 1)]


def test_concat_of_corpora_keeps_their_speakers_apart(on_disk, tmp_path):
    other = Corpus(
        {"file": ["1.wav"], "speaker": ["03"], "emotion": ["fear"], "age": ["31"]},
        root=tmp_path.parent / "other",
        name="other",
    )
    both = Corpus.concat([on_disk, other])
    assert both.name == "disk+other"
    assert both.speakers.tolist() == ["disk:03", "disk:03", "disk:08", "disk:08", "other:03"]
    assert both.table["sentence"].tolist() == ["disk:s1", "disk:s2"] * 2 + [pd.NA]
    assert both.table["corpus"].tolist() == ["disk"] * 4 + ["other"]
    assert both.table["age"].tolist()[-1] == "31"
    assert both.root == tmp_path.parent
    assert Corpus.concat([on_disk[:1], on_disk[1:]]).root == on_disk.root
    assert both.audio.tolist() == [*on_disk.audio, *other.audio]


def test_concat_prefixes_on_request(corpus):
    assert Corpus.concat([corpus, corpus], prefix=["a", "b"]).speakers[[0, -1]].tolist() == [
        "a:03",
        "b:08",
    ]
    assert Corpus.concat([corpus], prefix=True).speakers[0] == f"{corpus.name}:03"
    assert Corpus.concat([corpus, corpus], prefix=False, name="twice").name == "twice"
    with pytest.raises(ValueError, match="2 corpora"):
        Corpus.concat([corpus, corpus], prefix=["a"])
    with pytest.raises(ValueError, match="2 corpora"):
        Corpus.concat([corpus, corpus], prefix="ab")


def test_concat_of_nameless_corpora_refuses_common_speakers():
    first, second = (Corpus({"file": ["1.wav"], "speaker": [code]}) for code in "ab")
    assert Corpus.concat([first, second]).speakers.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"speakers 'a' in common.*prefix"):
        Corpus.concat([first, first])
    assert Corpus.concat([first, first], prefix=False).speakers.tolist() == ["a", "a"]
    with pytest.raises(ValueError, match="has no name"):
        Corpus.concat([first, second], prefix=True)


def test_concat_refuses_mixtures(on_disk, in_memory):
    slower = Corpus(TABLE, waveforms=[np.zeros(9)] * 4, sampling_rate=8000, name="slower")
    with pytest.raises(ValueError, match="files and waveforms at 16000 Hz"):
        Corpus.concat([on_disk, in_memory])
    with pytest.raises(ValueError, match="16000 Hz and waveforms at 8000 Hz"):
        Corpus.concat([in_memory, slower])
    with pytest.raises(ValueError, match="at least one"):
        Corpus.concat([])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table": {"path": ["1.wav"]}}, r"no column 'file'.*'path'"),
        ({"table": {"file": ["1.wav", None]}}, "row 1 names no file"),
        ({"table": {"file": ["1.wav"], "start": [2], "end": [1]}}, "row 0: start=2 and end=1"),
        ({"table": {"file": ["1.wav"], "start": [-1]}}, "row 0: start=-1"),
        ({"table": {"file": ["1.wav"], "duration": ["long"]}}, "'duration' has to hold seconds"),
        ({"table": {"file": ["1.wav"]}, "sampling_rate": 16000}, "audio files carry their own"),
        ({"table": {"file": ["1.wav"]}, "waveforms": [np.zeros(3)]}, "sampling_rate in Hz"),
        (
            {"table": {"speaker": ["a"]}, "waveforms": [[0.0]] * 2, "sampling_rate": 1},
            "2 waveforms for a table of 1 rows",
        ),
        (
            {"table": {"speaker": ["a"]}, "waveforms": [np.zeros((2, 9))], "sampling_rate": 1},
            r"waveform 0 is an array of shape \(2, 9\)",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Corpus(**arguments)


def test_spaces_and_kinds_of_numbers_do_not_split_speakers():
    codes = {
        "text": ["03", " 03", "03 "],
        "objects": np.array([3.0, "3", np.int64(3)], dtype=object),
        "categories": pd.Categorical([3.0, np.nan, 3.0]),
        "blanks": ["3", " ", None],
    }
    found = {
        kind: Corpus({"file": [" 1.wav"] * 3, "speaker": speakers}).speakers.tolist()
        for kind, speakers in codes.items()
    }
    assert found == {
        "text": ["03"] * 3,
        "objects": ["3"] * 3,
        "categories": ["3", None, "3"],
        "blanks": ["3", None, None],
    }
    assert Corpus({"file": [" 1.wav"]}).table["file"].tolist() == ["1.wav"]


def test_speakers_that_differ_in_capital_letters_are_refused():
    table = {"file": ["1.wav"] * 4, "speaker": ["Anna", "anna", "Ben", None]}
    with pytest.raises(ValueError, match=r"speakers 'Anna', 'anna' differ only in capital"):
        Corpus(table)


def test_waveforms_are_read_only_views():
    source = np.zeros(100, dtype=np.float32)
    corpus = Corpus({"speaker": ["a"]}, waveforms=[source], sampling_rate=100)
    for audio in (corpus.audio, corpus[:1].audio, Corpus.concat([corpus]).audio):
        assert np.shares_memory(audio[0], source)
        with pytest.raises(ValueError, match="read-only"):
            audio[0][:] = 7
    source[0] = 1  # the caller's own array stays writable


@pytest.mark.parametrize("kind", [None, "boolean", "array"])
def test_a_mask_leaves_out_missing_labels(kind):
    corpus = Corpus({"file": ["1.wav", "2.wav"], "emotion": ["anger", None]})
    mask = corpus.table["emotion"] == "anger"
    assert mask.isna().any()
    if kind is not None:
        mask = mask.array if kind == "array" else mask.astype(kind)
    assert corpus[mask].table["file"].tolist() == ["1.wav"]


def test_describe_keeps_labels_that_are_called_like_its_own_columns():
    table = {
        "file": ["1.wav"] * 5,
        "speaker": ["all", "all", "b", "b", "b"],
        "emotion": ["all", "duration", "gender", "?", None],
        "duration": [1.0] * 5,
    }
    counts = Corpus(table).describe()
    assert counts.index.tolist() == ["'all'", "b", "all"]
    assert counts.columns.tolist() == [
        "gender", "'?'", "'all'", "'duration'", "'gender'", "?", "all", "duration",
    ]  # fmt: skip
    assert counts.loc["all"].tolist()[1:] == [1, 1, 1, 1, 1, 5, 5.0]
