"""IEMOCAP, the Interactive Emotional Dyadic Motion Capture Database."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serkit.datasets._annotated import FOUR_EMOTIONS, choose_rows, label_lines, look_up
from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, folder_with, read_named_files

__all__ = ["load_iemocap"]

EMOTIONS = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excitement",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "oth": "other",
    "sad": "sadness",
    "sur": "surprise",
    "xxx": None,
}
SESSIONS = ("Session1", "Session2", "Session3", "Session4", "Session5")
PARTS = {"impro": "improvised", "script": "scripted"}
LABELS = "dialog/EmoEvaluation"
NUMBER = r"\d+(?:\.\d+)?"
LINE = re.compile(
    rf"\[{NUMBER} - {NUMBER}\]\t"
    r"(?P<name>(?P<session>Ses0[1-5])[FM]_(?P<part>impro|script)\w*_(?P<gender>[FM])\w+)\t"
    rf"(?P<code>\w+)\t\[(?P<valence>{NUMBER}), (?P<arousal>{NUMBER}), (?P<dominance>{NUMBER})\]"
)


def load_iemocap(
    root: str | os.PathLike,
    *,
    emotions: Sequence[str] | None = FOUR_EMOTIONS,
    merge_excited: bool = True,
    part: str = "all",
    keep_unlabelled: bool = False,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load the utterances of IEMOCAP [1]_.

    About 12 hours of English: 10039 utterances of ten actors, who played scripts
    and improvised in five sessions of a woman and a man. The layout is that of
    the full release, as torchaudio reads it
    (https://docs.pytorch.org/audio/stable/_modules/torchaudio/datasets/iemocap.html):
    the label of ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav``
    is the line ``[start - end] name emotion [valence, activation, dominance]`` in
    ``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt``.

    Parameters
    ----------
    root : path-like
        The folder that holds ``Session1`` to ``Session5``, or the one above it.
        Files may be WAV or FLAC.
    emotions : sequence of str or None, default=("anger", "happiness", "neutral", "sadness")
        What to load; ``None`` is all that have a label: further ``"disgust"``,
        ``"fear"``, ``"frustration"``, ``"other"``, ``"surprise"``, and
        ``"excitement"`` if it is not merged.
    merge_excited : bool, default=True
        Label excitement as happiness, as most publications do.
    part : {"improvised", "scripted", "all"}, default="all"
        Which dialogues to load.
    keep_unlabelled : bool, default=False
        Keep the utterances on whose emotion the annotators did not agree (code
        ``xxx``), their emotion missing. They have valence, arousal and dominance.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about missing files and sessions, and about audio files that
        have no label; they are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"iemocap"``. Speakers are ``"Ses01F"`` to ``"Ses05M"``, sessions
        ``"Ses01"`` to ``"Ses05"``. Additional columns are ``part``, ``dialog``,
        and the mean ratings ``valence``, ``arousal`` (activation in the files)
        and ``dominance``, from 1 to 5.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_missing="error"`` a file, is missing.
    ValueError
        If a label cannot be read, nothing has the wanted labels, or if audio
        without a label lies there and ``on_missing="error"``.

    Warns
    -----
    UserWarning
        With ``emotions=None``, of the number of utterances without agreement.

    Notes
    -----
    The speaker is told by the letter of the turn: in ``Ses01F_impro01_M000`` the
    man of the session speaks, whatever the letter of the dialogue. The two of a
    session talk to each other in one room; to leave them out together, give them
    as ``groups`` of :class:`~serkit.model_selection.LeaveSpeakersOut`.

    The default is the set of 5531 utterances (1103 anger, 1636 happiness, 1708
    neutral, 1084 sadness). Others that are published are happiness without
    excitement (``merge_excited=False``), and excitement in place of happiness::

        labels = {"excitement": "happiness"} | {e: e for e in ("anger", "neutral", "sadness")}
        corpus = load_iemocap(root, emotions=list(labels), merge_excited=False)
        corpus = corpus.map_labels(labels)

    References
    ----------
    .. [1] C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N.
       Chang, S. Lee and S. S. Narayanan, "IEMOCAP: Interactive emotional dyadic
       motion capture database", Language Resources and Evaluation 42,
       pp. 335-359, 2008.

    Examples
    --------
    >>> from serkit.datasets import load_iemocap
    >>> corpus = load_iemocap("path/to/IEMOCAP", part="improvised")  # doctest: +SKIP
    """
    folder = folder_with("iemocap", root, "Session[1-5]")
    codes = EMOTIONS | {"exc": "happiness"} if merge_excited else EMOTIONS
    if merge_excited and emotions is not None and "excitement" in emotions:
        raise ValueError("excitement is labelled happiness; set merge_excited=False to load it")
    rows: dict[str, dict[str, Any]] = {}
    absent = []
    for session in SESSIONS:
        found = _read_session(folder / session / LABELS, codes)
        rows |= found
        if not found:
            absent.append(f"{session}/{LABELS}/*.txt")
    if not rows:
        raise FileNotFoundError(f"no label is in {folder}; 'Session1/{LABELS}/*.txt' are expected")
    chosen = choose_rows(
        "iemocap",
        rows,
        emotions,
        codes.values(),
        part=part,
        parts=PARTS.values(),
        keep_unlabelled=keep_unlabelled,
    )
    dialogs = [place for place in folder.glob("Session[1-5]/sentences/wav/*") if place.is_dir()]
    return read_named_files(
        "iemocap",
        folder,
        [file for file in audio_files(dialogs) if file.stem in chosen or file.stem not in rows],
        rows.__getitem__,
        dict.fromkeys([*chosen, *absent]),
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _read_session(folder: Path, codes: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Return the labels in the files of a session, by utterance."""
    rows = {}
    for file in sorted(folder.glob("[!.]*.txt")):
        for place, line in label_lines(file, "["):
            match = LINE.fullmatch(line)
            if match is None:
                raise ValueError(
                    f"{place} is not '[start - end]\\tname\\temotion\\t[valence, activation, "
                    f"dominance]': {line!r}"
                )
            rows[match["name"]] = _as_row(match, look_up(match["code"], codes, place))
    return rows


def _as_row(match: re.Match, emotion: str | None) -> dict[str, Any]:
    return {
        "speaker": match["session"] + match["gender"],
        "gender": "female" if match["gender"] == "F" else "male",
        "emotion": emotion,
        "session": match["session"],
        "part": PARTS[match["part"]],
        "dialog": match["name"].rpartition("_")[0],
        **{name: float(match[name]) for name in ("valence", "arousal", "dominance")},
    }
