"""A model file from outside: a zip archive of few members, none compressed, all with digests."""

import hashlib
import json
import os
import re
import secrets
import stat
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from serkit.persistence._errors import ModelFileError

__all__ = [
    "DESCRIPTION",
    "is_archive",
    "read_archive",
    "read_json",
    "read_members",
    "write_archive",
]

DESCRIPTION = "model.json"

#: Names of the members beside the description.
_MEMBER = re.compile(r"arrays\.safetensors|weights\.safetensors|parts/[0-9]{1,6}\.skops")

#: More than any description needs; what is large lies in the other members.
_LONGEST_DESCRIPTION = 256 * 2**20


def is_archive(path: Path) -> bool:
    """Say whether a file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def write_archive(path: Path, description: dict[str, Any], members: Mapping[str, bytes]) -> None:
    """Write a file that gets its name once all is written, or never."""
    about = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in members.items()
    }
    text = json.dumps({**description, "members": about}, allow_nan=False, separators=(",", ":"))
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, data in {DESCRIPTION: text.encode(), **members}.items():
                    # A time would make files of equal models differ.
                    archive.writestr(zipfile.ZipInfo(name), data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_archive(path: Path, *, description_only: bool = False) -> tuple[Any, dict[str, bytes]]:
    """Return the description and the other members, after their digests were compared."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _check_entries(archive, path.stat().st_size)
            if DESCRIPTION not in entries:
                raise ModelFileError(
                    f"it was not written by serkit.save: there is no {DESCRIPTION} in it"
                )
            if entries[DESCRIPTION].file_size > _LONGEST_DESCRIPTION:
                raise ModelFileError(f"{DESCRIPTION} is larger than any that serkit writes")
            description = read_json(archive.read(DESCRIPTION))
            if not isinstance(description, dict):
                raise ModelFileError(f"{DESCRIPTION} is no JSON object")
            if description_only:
                return description, {}
            listed = description.get("members")
            _check_listed(listed, set(entries) - {DESCRIPTION})
            members = {name: archive.read(name) for name in entries if name != DESCRIPTION}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ModelFileError(f"the archive is damaged: {error}") from error
    for name, data in members.items():
        if hashlib.sha256(data).hexdigest() != listed[name].get("sha256"):
            raise ModelFileError(f"the digest of {name} differs: it was changed after it was saved")
    return description, members


def read_members(data: bytes, allowed: re.Pattern) -> dict[str, bytes]:
    """Return the members of an archive inside the archive."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = _check_entries(archive, len(data), allowed)
            return {name: archive.read(name) for name in entries}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"an archive inside it is damaged: {error}") from error


def read_json(data: bytes) -> Any:
    """Read strict JSON: no NaN, no name twice in one object, no bottomless nesting."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ModelFileError("its JSON is nested too deeply") from error
    except ValueError as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"its JSON is damaged: {error}") from error


def _check_entries(
    archive: zipfile.ZipFile, size: int, allowed: re.Pattern = _MEMBER
) -> dict[str, zipfile.ZipInfo]:
    """Refuse every archive that is not built as serkit builds them, before anything is read."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename[:100]
        if entry.filename != entry.orig_filename:
            raise ModelFileError(f"a member has two names, {name!r} and {entry.orig_filename!r}")
        if entry.filename in entries:
            raise ModelFileError(f"the member {name!r} is there twice")
        if entry.filename != DESCRIPTION and not allowed.fullmatch(entry.filename):
            raise ModelFileError(f"it has a member that serkit does not write: {name!r}")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ModelFileError(f"the member {name!r} is a link or something else than a file")
        if entry.flag_bits & 0x1:
            raise ModelFileError(f"the member {name!r} is encrypted")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ModelFileError(f"the member {name!r} is compressed, which serkit never writes")
        entries[entry.filename] = entry
    if sum(entry.file_size for entry in entries.values()) > size:
        raise ModelFileError("its members claim to be larger than the file: they overlap")
    return entries


def _check_listed(listed: Any, found: set[str]) -> None:
    if not isinstance(listed, dict) or not all(
        isinstance(about, dict) for about in listed.values()
    ):
        raise ModelFileError(f"{DESCRIPTION} does not list the members")
    missing, extra = sorted(listed.keys() - found), sorted(found - listed.keys())
    if missing:
        raise ModelFileError(f"members are missing: {', '.join(missing)[:200]}")
    if extra:
        raise ModelFileError(f"members are there that it does not list: {', '.join(extra)[:200]}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ModelFileError("its JSON has a name twice in one object")
    return found


def _refuse(constant: str) -> None:
    raise ModelFileError(f"its JSON has the number {constant}, which serkit does not write")
