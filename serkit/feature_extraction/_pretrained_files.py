"""Where the files of a pretrained encoder are, and what is in them."""

import os
from functools import cache
from pathlib import Path

from serkit.utils import content_digest, import_optional

__all__ = ["files_digest", "find_encoder"]

_CALLER = "PretrainedEmbedding"
_SETTINGS = ("config.json", "preprocessor_config.json")
#: Weights as plain tensors. Pickles, which may hold code, are neither fetched nor read.
_WEIGHTS = ("model.safetensors", "model-*.safetensors", "model.safetensors.index.json")


def find_encoder(name: str | os.PathLike, revision: str | None, local_files_only: bool) -> Path:
    """Return the folder with the files of a model, fetched if need be.

    Parameters
    ----------
    name : str or path-like
        A folder, or the name of a model on the Hugging Face Hub.
    revision : str or None
        Branch, tag or commit on the Hub.
    local_files_only : bool
        Take what was fetched before, and use no network.

    Returns
    -------
    folder : Path

    Raises
    ------
    ValueError
        If it has no such files, or its weights are no plain tensors.
    OSError
        If the model is neither a folder nor could be fetched.
    """
    if os.path.isdir(name):
        if revision is not None:
            raise ValueError(f"{os.fspath(name)!r} is a folder, of which there are no revisions")
        folder = Path(name)
    else:
        folder = _fetch(os.fspath(name), revision, local_files_only)
    for setting in _SETTINGS:
        if not (folder / setting).is_file():
            raise ValueError(
                f"{os.fspath(name)!r} has no {setting}, so it is no model of speech that was saved "
                "by transformers: save_pretrained of the model and of its feature extractor write "
                "all that is needed"
            )
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise ValueError(
            f"{os.fspath(name)!r} has no weights as safetensors, and pickles are not loaded, for "
            "they may hold code. Give a revision that has them, or, if you trust the file, convert "
            "it: AutoModel.from_pretrained(...).save_pretrained(folder)"
        )
    return folder


@cache
def _fetch(name: str, revision: str | None, local_files_only: bool) -> Path:
    hub = import_optional("huggingface_hub", extra="pretrained", caller=_CALLER)
    errors = import_optional("huggingface_hub.errors", extra="pretrained", caller=_CALLER)
    try:
        return Path(
            hub.snapshot_download(
                name,
                revision=revision,
                local_files_only=local_files_only,
                allow_patterns=[*_SETTINGS, *_WEIGHTS],
            )
        )
    except errors.HFValidationError as error:
        raise OSError(f"there is no folder {name!r}, and no model can have that name") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        of_revision = "" if revision is None else f" with the revision {revision!r}"
        raise OSError(
            f"there is neither a folder {name!r} nor a public model of that name{of_revision} on "
            "the Hugging Face Hub"
        ) from error
    except Exception as error:  # of the network, by whichever client the package uses
        raise OSError(
            f"{name!r} is no folder, was not fetched before, and cannot be fetched now "
            f"({type(error).__name__}). Where there is a network, run\n"
            f"    hf download {name} --local-dir FOLDER\n"
            f"and give that folder here: {_CALLER}(FOLDER)"
        ) from error


def files_digest(folder: Path) -> list[str]:
    """Return digests of everything in a folder that values depend on."""
    files = {file for pattern in (*_SETTINGS, *_WEIGHTS) for file in folder.glob(pattern)}
    return [f"{file.name} {content_digest(file)}" for file in sorted(files)]
