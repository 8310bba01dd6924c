"""Download corpora once, check them, unpack them, load them."""

import os
from pathlib import Path

import pooch

from serkit.datasets._corpus import Corpus
from serkit.datasets._download import ResumingDownloader
from serkit.datasets._emodb import load_emodb
from serkit.datasets._extract import unzip
from serkit.datasets._ravdess import load_ravdess

__all__ = ["fetch_emodb", "fetch_ravdess"]

EMODB_URL = "http://emodb.bilderbar.info/download/download.zip"
RAVDESS_URL = "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip"
RAVDESS_HASH = "md5:bc696df654c87fed845eb13823edef8a"


def fetch_emodb(
    data_home: str | os.PathLike | None = None,
    *,
    url: str | None = None,
    known_hash: str | None = None,
    verbose: int | bool = 1,
) -> Corpus:
    """Download Emo-DB and load it.

    Parameters
    ----------
    data_home : path-like or None, default=None
        Folder that keeps downloaded corpora; ``None`` is the environment
        variable ``SERKIT_HOME``, or else the user's cache folder.
    url : str or None, default=None
        Where to download from; ``None`` is ``download.zip`` of
        http://emodb.bilderbar.info.
    known_hash : str or None, default=None
        Checksum that the archive must have, ``"md5:..."`` or SHA-256. See Notes.
    verbose : int or bool, default=1
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        As from :func:`load_emodb`. Nothing is downloaded if it is there already.

    Raises
    ------
    ConnectionError
        If the transfer breaks off too often; the next call goes on with it.
    ValueError
        If the checksum is wrong, or the archive is damaged or would write
        outside its folder.

    See Also
    --------
    load_emodb : Load a copy that is already there.

    Notes
    -----
    No checksum of the archive is published. That of the first download is
    recorded in ``emodb.zip.sha256`` beside it, and a later download has to have
    the same.

    Examples
    --------
    >>> from serkit.datasets import fetch_emodb
    >>> corpus = fetch_emodb()  # doctest: +SKIP
    """
    folder = _fetch("emodb", url or EMODB_URL, known_hash, data_home, verbose)
    return load_emodb(folder)


def fetch_ravdess(
    data_home: str | os.PathLike | None = None,
    *,
    url: str | None = None,
    known_hash: str | None = None,
    verbose: int | bool = 1,
) -> Corpus:
    """Download the speech part of RAVDESS (208 MB) and load it.

    Parameters
    ----------
    data_home : path-like or None, default=None
        Folder that keeps downloaded corpora; ``None`` is the environment
        variable ``SERKIT_HOME``, or else the user's cache folder.
    url : str or None, default=None
        Where to download from; ``None`` is ``Audio_Speech_Actors_01-24.zip`` of
        https://zenodo.org/records/1188976.
    known_hash : str or None, default=None
        Checksum that the archive must have, ``"md5:..."`` or SHA-256. ``None``
        is the one that Zenodo states, or, with another ``url``, that of the
        first download, which is recorded in ``ravdess.zip.sha256``.
    verbose : int or bool, default=1
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        As from :func:`load_ravdess`. Nothing is downloaded if it is there
        already.

    Raises
    ------
    ConnectionError
        If the transfer breaks off too often; the next call goes on with it.
    ValueError
        If the checksum is wrong, or the archive is damaged or would write
        outside its folder.

    See Also
    --------
    load_ravdess : Load a copy that is already there.

    Examples
    --------
    >>> from serkit.datasets import fetch_ravdess
    >>> corpus = fetch_ravdess()  # doctest: +SKIP
    """
    if url is None and known_hash is None:
        known_hash = RAVDESS_HASH
    folder = _fetch("ravdess", url or RAVDESS_URL, known_hash, data_home, verbose)
    return load_ravdess(folder)


def _fetch(
    name: str,
    url: str,
    known_hash: str | None,
    data_home: str | os.PathLike | None,
    verbose: int | bool,
) -> Path:
    """Return the folder with the unpacked corpus, after a download if need be."""
    home = Path(data_home or os.environ.get("SERKIT_HOME") or pooch.os_cache("serkit"))
    home = home.expanduser().absolute()
    folder = home / name
    if folder.is_dir():
        return folder
    record = home / f"{name}.zip.sha256"
    if known_hash is None and record.is_file():
        known_hash = record.read_text("ascii").split()[0]
    downloader = ResumingDownloader(home / f"{name}.zip.part", verbose=verbose)
    try:
        archive = pooch.retrieve(
            url, known_hash, fname=f"{name}.zip", path=home, downloader=downloader
        )
    except ValueError as error:
        error.add_note(
            f"{url} sends another file than the one published or recorded; if that is meant to "
            f"be, give its known_hash, or delete {record}"
        )
        raise
    try:
        unzip(archive, folder)
    except ValueError:
        os.remove(archive)  # the next call downloads it anew
        raise
    record.write_text(f"{pooch.file_hash(archive)}  {name}.zip\n", "ascii")
    return folder
