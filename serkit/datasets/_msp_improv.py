"""MSP-IMPROV, acted dyadic interactions."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serkit.datasets._annotated import FOUR_EMOTIONS, choose_rows, label_lines, look_up
from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, folder_with, read_named_files

__all__ = ["load_msp_improv"]

EMOTIONS = {
    "A": "anger",
    "H": "happiness",
    "N": "neutral",
    "O": "other",
    "S": "sadness",
    "X": None,
}
PARTS = {"P": "natural", "R": "target-read", "S": "other-improvised", "T": "target-improvised"}
LABEL_FILE = "Eval*tion.txt"  # the release spells it Evalution.txt
NUMBER = r"(\d+(?:\.\d+)?|NaN)\s*;"
LINE = re.compile(
    r"UTD-(?P<name>IMPROV-(?P<scenario>S(?P<sentence>\d\d)(?P<target>[AHNS]))-"
    r"(?P<speaker>(?P<gender>[FM])(?P<session>\d\d))-(?P<part>[PRST])-\w+)\.avi;"
    rf"\s*(?P<code>\w);\s*A:{NUMBER}\s*V:{NUMBER}\s*D:{NUMBER}(?:\s*N:{NUMBER})?"
)
RATINGS = ("arousal", "valence", "dominance", "naturalness")


def load_msp_improv(
    root: str | os.PathLike,
    *,
    emotions: Sequence[str] | None = FOUR_EMOTIONS,
    part: str = "all",
    keep_unlabelled: bool = False,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load the audio of MSP-IMPROV [1]_.

    8438 turns in English of twelve actors, who improvised scenes and were
    recorded between them too, in six sessions of a woman and a man. The layout
    is that read by
    https://github.com/Strong-AI-Lab/emotion/blob/master/datasets/MSP-IMPROV/process.py
    and https://github.com/tabahi/SER_Datasets_Import: the label of
    ``session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav`` is the line
    ``UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.0; V:3.2; D:2.8 ; N:4.1;`` in
    ``Evalution.txt`` (so spelled), whose lines of single annotators are not
    read. Names hold scenario (sentence and target emotion), speaker, and the
    part of the corpus.

    Parameters
    ----------
    root : path-like
        The folder that holds ``Evalution.txt`` (or ``Evaluation.txt``), beside it
        ``session1`` to ``session6``, or ``Audio`` with them; or the folder above.
        Files may be WAV or FLAC.
    emotions : sequence of str or None, default=("anger", "happiness", "neutral", "sadness")
        What to load; ``None`` is all that have a label: ``"other"`` too.
    part : {"target-improvised", "target-read", "other-improvised", "natural", "all"}, \
default="all"
        Which turns to load: the target sentences within an improvisation (``T`` in
        the names), read (``R``), all other turns of the improvisations (``S``), or
        what was said between them (``P``).
    keep_unlabelled : bool, default=False
        Keep the turns on whose emotion the annotators did not agree (code ``X``),
        their emotion missing.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about missing files, and about audio files that have no label;
        they are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"msp_improv"``. Speakers are ``"F01"`` to ``"M06"``, sessions
        ``"01"`` to ``"06"``; ``sentence`` is known of target sentences. Additional
        columns are ``part``, ``scenario``, ``target_emotion``, and the mean ratings
        ``arousal`` (activation in the file), ``valence``, ``dominance`` and
        ``naturalness``, from 1 to 5.

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
        With ``emotions=None``, of the number of turns without agreement.

    Notes
    -----
    The four emotions have 7798 turns: 792 anger, 2644 happiness, 3477 neutral and
    885 sadness. Eight of the actors also read the target sentences. Labels are
    what annotators heard, not ``target_emotion``.

    References
    ----------
    .. [1] C. Busso, S. Parthasarathy, A. Burmania, M. AbdelWahab, N. Sadoughi and
       E. Mower Provost, "MSP-IMPROV: An Acted Corpus of Dyadic Interactions to
       Study Emotion Perception", IEEE Transactions on Affective Computing 8(1),
       pp. 67-80, 2017.

    Examples
    --------
    >>> from serkit.datasets import load_msp_improv
    >>> corpus = load_msp_improv("path/to/MSP-IMPROV")  # doctest: +SKIP
    """
    folder = folder_with("msp_improv", root, LABEL_FILE)
    rows = _read_labels(min(folder.glob(LABEL_FILE)))
    chosen = choose_rows(
        "msp_improv",
        rows,
        emotions,
        EMOTIONS.values(),
        part=part,
        parts=PARTS.values(),
        keep_unlabelled=keep_unlabelled,
    )
    sessions = [*folder.glob("session[1-6]"), *folder.glob("Audio/session[1-6]")]
    scenes = [scene for session in sessions for scene in session.glob("*/*") if scene.is_dir()]
    return read_named_files(
        "msp_improv",
        folder,
        [file for file in audio_files(scenes) if file.stem in chosen or file.stem not in rows],
        rows.__getitem__,
        chosen,
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _read_labels(file: Path) -> dict[str, dict[str, Any]]:
    """Return what the annotators found together, by turn."""
    rows = {}
    for place, line in label_lines(file, "UTD-"):
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(
                f"{place} is not 'UTD-IMPROV-name.avi; emotion; A:number; V:number; D:number; "
                f"N:number;': {line!r}"
            )
        emotion = look_up(match["code"], EMOTIONS, place)
        rows[f"MSP-{match['name']}"] = _as_row(match, emotion)
    if not rows:
        raise ValueError(f"{file} has no line that begins with 'UTD-'; it is no label file")
    return rows


def _as_row(match: re.Match, emotion: str | None) -> dict[str, Any]:
    ratings = [float(number or "nan") for number in match.groups()[-len(RATINGS) :]]
    return {
        "speaker": match["speaker"],
        "gender": "female" if match["gender"] == "F" else "male",
        "emotion": emotion,
        "sentence": match["sentence"] if match["part"] in "RT" else None,
        "session": match["session"],
        "part": PARTS[match["part"]],
        "scenario": match["scenario"],
        "target_emotion": EMOTIONS[match["target"]],
        **dict(zip(RATINGS, ratings, strict=True)),
    }
