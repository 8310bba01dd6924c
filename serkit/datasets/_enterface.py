"""eNTERFACE'05, audio-visual emotion."""

import os
from itertools import product
from pathlib import Path

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, folder_with, read_named_files
from serkit.datasets._video import refuse_videos

__all__ = ["load_enterface"]

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
UNSEGMENTED = 6
INCOMPLETE = "subject 23/happiness/"


def load_enterface(
    root: str | os.PathLike,
    *,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    r"""Load the audio of eNTERFACE'05 [1]_.

    1287 utterances in English of 43 people from 14 countries, who reacted to six
    stories in one emotion each. The layout is that of ``project2_database.zip`` from
    https://enterface.net/enterface05/emotion.html, as it is read by
    https://github.com/Strong-AI-Lab/emotion/blob/master/datasets/eNTERFACE/process.py:
    videos like ``subject 1/anger/sentence 1/s1_an_1.avi``. Their audio must have
    been extracted to WAV or FLAC files in the same folders, for instance by ::

        find "enterface database" -name '*.avi' -exec sh -c \
          'ffmpeg -nostdin -n -i "$1" -vn -ac 1 -ar 16000 "${1%.avi}.wav"' _ {} \;

    Parameters
    ----------
    root : path-like
        The folder that holds ``subject 1`` to ``subject 44``, or the one above it.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about sentences without audio, and about audio files that are too
        many; they are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"enterface"``, with speakers like ``"subject 1"``. The gender is not
        distributed.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, if there are only videos, or with
        ``on_missing="error"`` if the audio of a sentence is missing.
    ValueError
        If a folder of a sentence has more than one audio file and
        ``on_missing="error"``.

    Notes
    -----
    Speaker and emotion are those of the folders, for file names cannot be trusted:
    those of subject 11 say ``s12``. Subject 6 is not cut into sentences and is left
    out. Of subject 23 there are two utterances of happiness; all others have five of
    every emotion. The corpus was published with 42 subjects, of which Huang (2017)
    used 1257 utterances.

    Every emotion has sentences of its own (``sentence`` is ``"anger 1"``), so that
    the words alone tell it. Scores are therefore high, and do not compare with those
    of corpora that say the same in every emotion.

    References
    ----------
    .. [1] O. Martin, I. Kotsia, B. Macq and I. Pitas, "The eNTERFACE'05
       Audio-Visual Emotion Database", 22nd International Conference on Data
       Engineering Workshops (ICDEW), 2006.

    Examples
    --------
    >>> from serkit.datasets import load_enterface
    >>> corpus = load_enterface("path/to/enterface database")  # doctest: +SKIP
    """
    folder = folder_with("enterface", root, "subject *")
    files = audio_files(place for place in folder.glob("subject */*/sentence *") if place.is_dir())
    if not files:
        refuse_videos("enterface", folder, ".avi")
    found = {_key(file) for file in files}
    expected = [key for key in _all_keys() if key in found or not key.startswith(INCOMPLETE)]
    return read_named_files(
        "enterface",
        folder,
        files,
        _parse,
        dict.fromkeys(expected),
        key=_key,
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _key(file: Path) -> str:
    """Return the folder of a sentence: ``subject 1/anger/sentence 1``."""
    return "/".join(file.parts[-4:-1])


def _parse(key: str) -> dict[str, str]:
    speaker, emotion, sentence = key.split("/")
    return {
        "speaker": speaker,
        "emotion": emotion,
        "sentence": f"{emotion} {sentence.removeprefix('sentence ')}",
    }


def _all_keys() -> list[str]:
    subjects = [number for number in range(1, 45) if number != UNSEGMENTED]
    return [
        f"subject {subject}/{emotion}/sentence {sentence}"
        for subject, emotion, sentence in product(subjects, EMOTIONS, range(1, 6))
    ]
