"""Notes that name files, where steps know the rows of a batch only."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["named_rows"]

_ROWS = re.compile(r"\butterances? (\d+(?:, \d+)*)( and \d+ more)?")


@contextmanager
def named_rows(files: "Sequence[Any] | np.ndarray") -> Iterator[None]:
    """Let warnings about signals name the files of a batch."""
    from serkit.utils import SignalWarning

    show: Any = warnings.showwarning

    def name(found: re.Match) -> str:
        return ", ".join(str(files[int(row)]) for row in found[1].split(", ")) + (found[2] or "")

    def show_names(message: Any, category: Any, *rest: Any, **options: Any) -> None:
        if issubclass(category, SignalWarning):
            message = _ROWS.sub(name, str(message))
        show(message, category, *rest, **options)

    with warnings.catch_warnings():
        # The same rows of another batch are other files.
        warnings.simplefilter("always", SignalWarning)
        warnings.showwarning = show_names
        yield
