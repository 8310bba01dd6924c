"""MUSAN, a corpus of music, speech and noise."""

import os

import pandas as pd

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, fill_durations, folder_with

__all__ = ["load_musan"]

PARTS = ("music", "noise", "speech")


def load_musan(
    root: str | os.PathLike,
    *,
    part: str = "noise",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load noises, music or speech of MUSAN [1]_, to be added to other speech.

    About 930 noises (6 hours), 660 pieces of music and 426 of speech, at 16 kHz.
    The layout is that of ``musan.tar.gz`` from https://www.openslr.org/17, as read
    by https://github.com/kaldi-asr/kaldi/blob/master/egs/wsj/s5/steps/data/make_musan.py:
    files like ``noise/free-sound/noise-free-sound-0000.wav``, whose folders are the
    part and the source.

    Parameters
    ----------
    root : path-like
        The folder that holds ``music``, ``noise`` and ``speech``, or the one above it.
        Files may be WAV or FLAC.
    part : {"noise", "music", "speech", "all"}, default="noise"
        What to load; the folders of other parts need not be there. Music and speech
        may carry emotion.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"musan"``, with additional columns ``part`` and ``source``. It has no
        speakers and no emotions: its ``audio`` is what augmentation takes as noises.

    Raises
    ------
    FileNotFoundError
        If the folder, or the files of a part, are missing.

    Notes
    -----
    What there is, is loaded: copies differ by a file or two (Huang, 2017, has 929
    noises). The files ``ANNOTATIONS`` are not read. Leave some noises out of training
    to see whether a network got used to those it heard.

    References
    ----------
    .. [1] D. Snyder, G. Chen and D. Povey, "MUSAN: A Music, Speech, and Noise
       Corpus", arXiv:1510.08484, 2015.

    Examples
    --------
    >>> from serkit.datasets import load_musan
    >>> noises = load_musan("path/to/musan").audio  # doctest: +SKIP
    """
    if part not in (*PARTS, "all"):
        raise ValueError(f"part must be 'music', 'noise', 'speech' or 'all', got {part!r}")
    parts = PARTS if part == "all" else (part,)
    folder = folder_with("musan", root, parts[0])
    rows = []
    for name in parts:
        files = audio_files(source for source in folder.glob(f"{name}/*") if source.is_dir())
        if not files:
            raise FileNotFoundError(f"no audio is in the folders {folder / name}/*")
        rows += [
            {"file": file.relative_to(folder).as_posix(), "part": name, "source": file.parent.name}
            for file in files
        ]
    corpus = Corpus(pd.DataFrame(rows), root=folder, name="musan")
    return fill_durations(corpus, n_jobs=n_jobs, verbose=verbose)
