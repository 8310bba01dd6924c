"""What samplers that add changed copies of utterances have in common."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from serkit.over_sampling import BaseSampler
from serkit.utils import (
    ChangedAudio,
    check_audio,
    content_digest,
    is_path,
    name_rows,
    stack,
    utterance_digest,
)

__all__ = ["CopySampler", "seeding_digest"]

Change = Callable[[np.ndarray, int | None], np.ndarray]


class CopySampler(BaseSampler):
    """Base of the samplers that add changed copies of every utterance of audio.

    What is added to ragged audio are :class:`~serkit.utils.ChangedAudio`, which
    take no memory until they are read. Copies of numeric audio are made at once.

    A subclass implements :meth:`_plan`.
    """

    #: For :func:`serkit.testing.input_kind`.
    _input_kind = "audio"

    _parameter_constraints: ClassVar[dict] = {"random_state": ["random_state"]}

    @abstractmethod
    def _plan(self, seed: int) -> Callable[[str], Iterable[Change]]:
        """Return what gives the changes of an utterance by its digest."""

    def _note(self, n_real: int, changes: list[Any]) -> None:
        """Set what is known of every row that comes out; called before that."""

    def _generate(
        self,
        X: np.ndarray,
        y: np.ndarray,
        strategy: dict[Any, int],
        random_state: np.random.RandomState,
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        changes_of = self._plan(int(random_state.randint(np.iinfo(np.int32).max)))
        ragged = X.dtype == object
        items = self._check_utterances(X)
        changes = [list(changes_of(_digest(row, item))) for row, item in enumerate(items)]
        rows = np.repeat(np.arange(len(items)), [len(of_row) for of_row in changes])
        copies = [
            ChangedAudio(item, change)
            for item, of_row in zip(items, changes, strict=True)
            for change in of_row
        ]
        self._note(len(items), [copy.change for copy in copies])
        self.sampling_strategy_ = dict(Counter(y[rows].tolist()))
        return (copies if ragged else self._compute(copies, rows, X)), y[rows], rows

    def _check_utterances(self, X: np.ndarray) -> list[Any]:
        """Return waveforms, or files that are read later."""
        if X.dtype == object:
            return list(check_audio(self, X, reset=True, allow_paths=True)[0])
        if X.ndim != 2:
            raise ValueError(
                f"{type(self).__name__} takes audio, one waveform per row, but X has the shape "
                f"{X.shape}; put it before the step that makes frames"
            )
        if X.dtype == np.int16:
            return list(X / np.float32(32768))
        return list(X if X.dtype.kind == "f" else X.astype(np.float64))

    def _compute(self, copies: list[ChangedAudio], origins: np.ndarray, X: np.ndarray) -> Any:
        """Return the copies of numeric audio."""
        computed = []
        for copy, row in zip(copies, origins, strict=True):
            computed.append(copy.change(copy.source, getattr(self, "sampling_rate", None)))
            if len(computed[-1]) != X.shape[1]:
                raise ValueError(
                    f"a copy of {name_rows([int(row)])} has another length ({len(computed[-1])} "
                    f"samples, not {X.shape[1]}), which numeric audio cannot have; give X as a "
                    "list of waveforms"
                )
        waveforms = stack(computed, length=len(computed))
        if X.dtype == np.int16:
            return np.round(waveforms * 32768).clip(-32768, 32767).astype(np.int16)
        return waveforms


def seeding_digest(item: Any) -> str:
    """Return what a seed is made of: the content of an utterance, whatever its precision."""
    if is_path(item):
        return utterance_digest(item)
    return content_digest(np.asarray(item, dtype=np.float32))


def _digest(row: int, item: Any) -> str:
    try:
        return seeding_digest(item)
    except OSError as error:
        raise ValueError(f"{name_rows([row])} ({item}) cannot be read: {error}") from error
