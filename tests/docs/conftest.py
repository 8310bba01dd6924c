"""Corpora at the paths that the documentation names, small enough to train on in seconds."""

import functools

import numpy as np
import pytest
import soundfile

import serkit.datasets
from serkit.datasets._emodb import _all_stems
from serkit.training._net import UtteranceNet

RAVDESS = [
    f"Actor_{actor:02d}/03-01-{emotion:02d}-{intensity:02d}-{statement:02d}-{take:02d}-{actor:02d}"
    for actor in range(1, 25)
    for emotion in range(1, 9)
    for intensity in (1, 2)
    for statement in (1, 2)
    for take in (1, 2)
    if (emotion, intensity) != (1, 2)
]
NEMO = [
    (f"{speaker}0_{emotion}_{sentence}", emotion, speaker)
    for speaker in ("EB", "KD", "MK", "WR")
    for emotion in ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
    for sentence in (1, 2)
]
IEMOCAP = {
    f"Ses{session:02d}{gender}_{dialog}": [
        f"{gender}{turn:03d} {emotion} 2.5000"
        for turn, emotion in enumerate(["ang", "hap", "neu", "sad"])
    ]
    for session in range(1, 6)
    for gender in "FM"
    for dialog in ("impro01", "script01_1")
}
OMG = {
    **dict.fromkeys("2458", "OMG_Empathy2019/Training"),
    "1": "OMG_Empathy2019/Validation",
    **dict.fromkeys("367", "OMG_Empathy2019_testSet"),
}


def lay_emodb(folder, write):
    for stem in _all_stems():
        write(folder / "wav" / f"{stem}.wav")


def lay_ravdess(folder, write):
    for name in RAVDESS:
        write(folder / f"{name}.wav")


def lay_nemo(folder, write):
    lines = ["file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"]
    for stem, emotion, speaker in NEMO:
        write(folder / "samples" / f"{stem}.wav")
        lines.append(f"{stem}.wav\t{emotion}\tLubię.\tlubię\t{speaker}0\tfemale\t27")
    (folder / "data.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def lay_iemocap(folder, write):
    for dialog, turns in IEMOCAP.items():
        session = folder / f"Session{int(dialog[3:5])}"
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"]
        for number, turn in enumerate(turns):
            name, code, valence = turn.split()
            write(session / "sentences" / "wav" / dialog / f"{dialog}_{name}.wav")
            lines.append(
                f"[{number}.2901 - {number}.9357]\t{dialog}_{name}\t{code}\t"
                f"[{valence}, 2.5000, 3.5000]\nC-E2:\tNeutral;\t()\n"
            )
        labels = session / "dialog" / "EmoEvaluation"
        labels.mkdir(parents=True, exist_ok=True)
        (labels / f"{dialog}.txt").write_text("\n".join(lines), "latin-1")


def lay_omg_empathy(folder, write):
    for subject in range(1, 11):
        for story, part in OMG.items():
            name = f"Subject_{subject}_Story_{story}"
            write(folder / part / "Videos" / f"{name}.wav")
            labels = folder / ("Annotations" if "test" in part else f"{part}/Annotations")
            labels.mkdir(parents=True, exist_ok=True)
            (labels / f"{name}.csv").write_text("valence\n" + "0.1\n" * 10)


def lay_musan(folder, write):
    for number in range(3):
        write(folder / "noise" / "free-sound" / f"noise-free-sound-{number:04d}.wav")


def lay_table(path, write):
    write(path.parent / "one.wav")
    path.write_text(f"file,speaker,emotion\n{path.parent / 'one.wav'},Ada,anger\n")


#: Which layout is expected below ``path/to/NAME``.
LAYOUTS = {
    "emodb": lay_emodb,
    "ravdess": lay_ravdess,
    "nemo": lay_nemo,
    "IEMOCAP": lay_iemocap,
    "OMG_Empathy2019": lay_omg_empathy,
    "musan": lay_musan,
    "table.csv": lay_table,
}


@pytest.fixture(scope="session")
def official_folders(tmp_path_factory):
    """Return the function that gives the folder of a corpus, filled as its owner distributes it."""
    above = tmp_path_factory.mktemp("path_to")
    rng = np.random.default_rng(0)
    time = np.arange(6400) / 16000  # ten values of valence

    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = np.sin(2 * np.pi * rng.uniform(100, 400) * time)
        soundfile.write(path, 0.4 * tone + 0.02 * rng.normal(size=time.size), 16000)

    @functools.cache
    def folder(name):
        above.mkdir(exist_ok=True)
        LAYOUTS[name](above / name, write)
        return above / name

    return folder


@pytest.fixture
def small_scale(monkeypatch):
    """Let loaders return a little of some speakers, and networks train for an epoch."""

    def thinned(load, n_speakers):
        @functools.wraps(load)
        def load_part(*arguments, **options):
            corpus = load(*arguments, **options)
            speakers = sorted(set(corpus.speakers))[:n_speakers]
            corpus = corpus.select(speaker=speakers)
            rows = corpus.table.groupby(["speaker", "emotion"], dropna=False).head(1).index
            return corpus[rows.to_numpy()]

        return load_part

    for name, n_speakers in {"load_emodb": 6, "load_ravdess": 3, "load_nemo": 3}.items():
        load = getattr(serkit.datasets, name)
        monkeypatch.setattr(serkit.datasets, name, thinned(load, n_speakers))

    initialise = UtteranceNet.__init__

    @functools.wraps(initialise)
    def initialise_briefly(self, *arguments, max_epochs=1, **options):
        initialise(self, *arguments, max_epochs=min(max_epochs, 1), **options)

    monkeypatch.setattr(UtteranceNet, "__init__", initialise_briefly)


@pytest.fixture
def dask_here(monkeypatch):
    """Let every address of a dask scheduler lead to one in this process."""
    distributed = pytest.importorskip("distributed")
    connect = distributed.Client

    def client(address=None, **options):
        return connect(n_workers=1, processes=False, dashboard_address=None)

    monkeypatch.setattr(distributed, "Client", client)
