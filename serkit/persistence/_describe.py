"""What is in a model file, without making anything of it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serkit.persistence._archive import is_archive, read_archive
from serkit.persistence._errors import ModelFileError
from serkit.persistence._load import check_format
from serkit.persistence._single_file import describe_single_file

__all__ = ["describe"]


def describe(path: str | os.PathLike) -> dict[str, Any]:
    """Say what is in a model file, without loading the model.

    Parameters
    ----------
    path : path-like
        A file that :func:`save` has written.

    Returns
    -------
    description : dict
        ``format``; ``serkit``, the version that wrote it; ``versions`` of the
        packages it rests on; ``class``, the class of the estimator; ``classes``,
        all that the file names; ``data``, what is known of the training data
        (``name``, ``fingerprint``, ``n_utterances``, ``hours``, ``speakers``,
        ``emotions`` with their numbers, ``utterances`` with the digests of the
        audio) or None; ``card``, what the model card tells (``steps``, ``labels``,
        ``intended_use``, ``licence``, ``evaluation``); ``size`` in bytes. It is
        what the file says, and is not checked.

    Raises
    ------
    ModelFileError
        If it is no model file.

    See Also
    --------
    load : Reads the model.

    Examples
    --------
    >>> import tempfile
    >>> import serkit
    >>> from serkit.persistence import describe
    >>> from serkit.preprocessing import WienerFilter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     serkit.save(WienerFilter(), f"{folder}/filter.serkit", card=False)
    ...     describe(f"{folder}/filter.serkit")["class"]
    'serkit.preprocessing:WienerFilter'
    """
    path = Path(path)
    try:
        if not is_archive(path):
            return {**describe_single_file(path), "size": path.stat().st_size}
        found, _ = read_archive(path, description_only=True)
        check_format(found)
        classes = list(dict.fromkeys(_classes(found.get("model"))))
        for name in ("versions", "data", "card"):
            if not isinstance(found.get(name), dict | None):
                raise ModelFileError(f"what it says of its {name} is no JSON object")
    except (ModelFileError, RecursionError) as error:
        raise ModelFileError(f"{path} is refused: {error}") from error
    return {
        "format": found["format"],
        "serkit": found.get("serkit"),
        "versions": found.get("versions"),
        "class": classes[0] if classes else None,
        "classes": classes,
        "data": found.get("data"),
        "card": found.get("card"),
        "size": path.stat().st_size,
    }


def _classes(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _classes(item)
    elif isinstance(node, dict):
        if isinstance(node.get("class"), str):
            yield node["class"]
        for item in node.values():
            yield from _classes(item)
