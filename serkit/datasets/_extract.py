"""Unpack an archive without trusting it."""

import os
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

__all__ = ["unzip"]

_MAX_SIZE = 10 * 10**9  # bytes after unpacking, several times the largest corpus here
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # RuntimeError: encrypted


def unzip(archive: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Unpack a ZIP archive into a new folder, which appears only when it is complete.

    Parameters
    ----------
    archive : path-like
        The archive.
    folder : path-like
        The folder to make.

    Raises
    ------
    ValueError
        If the file is no intact archive or is encrypted, if a member would be
        written outside the folder or is a link, or if all of it takes more than
        10 GB; nothing is unpacked then.
    """
    folder = Path(folder)
    try:
        with (
            zipfile.ZipFile(archive) as source,
            tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch,
        ):
            members = source.infolist()
            for member in members:
                _check_member(member)
            size = sum(member.file_size for member in members)
            if size > _MAX_SIZE:
                raise ValueError(f"{archive} would unpack to {size} bytes, too many for a corpus")
            content = Path(scratch) / "content"
            content.mkdir()
            source.extractall(content)
            content.rename(folder)
    except _DAMAGE as error:
        raise ValueError(f"{archive} is no intact ZIP archive: {error}") from error


def _check_member(member: zipfile.ZipInfo) -> None:
    # Both systems' rules hold everywhere: a backslash separates folders on Windows only.
    windows = PureWindowsPath(member.filename)
    leaves = (
        PurePosixPath(member.filename).is_absolute()
        or bool(windows.anchor)
        or ".." in windows.parts
    )
    if leaves:
        raise ValueError(f"the archive member {member.filename!r} points outside the folder")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ValueError(f"the archive member {member.filename!r} is a link or no ordinary file")
