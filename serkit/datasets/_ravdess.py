"""RAVDESS, the Ryerson Audio-Visual Database of Emotional Speech and Song."""

import os
from itertools import product

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, existing_folder, read_named_files

__all__ = ["load_ravdess"]

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITIES = {"01": "normal", "02": "strong"}
CHANNELS = {"01": "speech", "02": "song"}
SPOKEN_ONLY = ("07", "08")
NOT_SINGING = "18"
ARCHIVE_FOLDERS = ("Audio_Speech_Actors_01-24", "Audio_Song_Actors_01-24")


def load_ravdess(
    root: str | os.PathLike,
    *,
    vocal_channel: str = "speech",
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load the audio of RAVDESS [1]_.

    1440 spoken utterances in English of 24 actors in eight emotions, and 1012
    sung ones of 23 actors in six. The layout is that of
    ``Audio_Speech_Actors_01-24.zip`` and ``Audio_Song_Actors_01-24.zip`` from
    https://zenodo.org/records/1188976: files like
    ``Actor_12/03-01-06-01-02-01-12.wav``, whose names hold modality (``03`` is
    audio), vocal channel, emotion, intensity, statement, repetition and actor.

    Parameters
    ----------
    root : path-like
        The folder that holds ``Actor_01`` to ``Actor_24``, or one that holds
        the unpacked archives under their own names. Files may be WAV or FLAC.
    vocal_channel : {"speech", "song", "both"}, default="speech"
        Which part to load; files of the other are then foreign.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about missing files and about audio files that do not belong
        to the corpus; both are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"ravdess"``, with additional columns ``intensity``,
        ``repetition`` and ``vocal_channel``; ``sentence`` is the statement.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_missing="error"`` a file, is missing.
    ValueError
        If other audio files lie there and ``on_missing="error"``.

    See Also
    --------
    fetch_ravdess : Download the speech part first.

    Notes
    -----
    Every actor says each statement twice, in every emotion at two intensities,
    neutral at one. ``03-01-03-01-02-01-07`` and ``03-01-03-01-02-02-07`` are
    the same recording in the published corpus; both are kept. Levels differ
    greatly, and nearly every file begins and ends with about a second of near
    silence. Videos are not read.

    References
    ----------
    .. [1] S. R. Livingstone and F. A. Russo, "The Ryerson Audio-Visual Database
       of Emotional Speech and Song (RAVDESS)", PLoS ONE 13(5), e0196391, 2018.

    Examples
    --------
    >>> from serkit.datasets import load_ravdess
    >>> corpus = load_ravdess("path/to/ravdess")  # doctest: +SKIP
    """
    if vocal_channel not in (*CHANNELS.values(), "both"):
        raise ValueError(f"vocal_channel must be 'speech', 'song' or 'both', got {vocal_channel!r}")
    folder = existing_folder(root)
    stems = [
        stem
        for stem in map("-".join, _all_fields())
        if vocal_channel in (CHANNELS[stem[3:5]], "both")
    ]
    places = [place for place in (folder / name for name in ARCHIVE_FOLDERS) if place.is_dir()]
    if any(folder.glob("Actor_*")):
        # Some mirrors pack a second copy of all files into a folder beside these.
        places = [folder]
    actors = [actor for place in places for actor in place.glob("Actor_*") if actor.is_dir()]
    return read_named_files(
        "ravdess",
        folder,
        audio_files(actors),
        _parse,
        dict.fromkeys(stems),
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _parse(stem: str) -> dict[str, str]:
    _, channel, emotion, intensity, statement, repetition, actor = stem.split("-")
    return {
        "speaker": actor,
        "gender": "male" if int(actor) % 2 else "female",
        "emotion": EMOTIONS[emotion],
        "sentence": statement,
        "intensity": INTENSITIES[intensity],
        "repetition": repetition,
        "vocal_channel": CHANNELS[channel],
    }


def _all_fields():
    """Yield the seven fields of every audio file that the corpus has."""
    actors = [f"{number:02d}" for number in range(1, 25)]
    twice = ("01", "02")
    fields = product(["03"], CHANNELS, EMOTIONS, INTENSITIES, twice, twice, actors)
    for _, channel, emotion, intensity, statement, repetition, actor in fields:
        if EMOTIONS[emotion] == "neutral" and INTENSITIES[intensity] == "strong":
            continue
        if CHANNELS[channel] == "song" and (emotion in SPOKEN_ONLY or actor == NOT_SINGING):
            continue
        yield "03", channel, emotion, intensity, statement, repetition, actor
