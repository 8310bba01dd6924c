"""Utterances in memory and the batches made of them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["BatchLoader", "UtteranceData"]

#: How far apart lengths may be to share a batch, as a factor; more mixes better, less pads less.
_SPREAD = 1.25


class UtteranceData:
    """Utterances with what is known of each, from which batches are taken.

    Parameters
    ----------
    utterances : sequence of ndarray or ndarray
        One array per utterance, whose last axis may differ in length; or one
        array of all.
    **targets : array-like of shape (n_utterances, ...)
        What is known of every utterance: target, weight, speaker.

    Attributes
    ----------
    lengths : ndarray of shape (n_utterances,)
        Size of the last axis of every utterance.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.training import UtteranceData
    >>> data = UtteranceData([np.ones((1, 2, 3)), np.ones((1, 2, 5))], y=[0, 1])
    >>> inputs, targets = data.batch(np.array([1, 0]))
    >>> inputs["x"].shape, inputs["lengths"], targets["y"]
    (torch.Size([2, 1, 2, 5]), tensor([5, 3]), tensor([1, 0]))
    """

    def __init__(self, utterances: Sequence[np.ndarray] | np.ndarray, **targets: Any) -> None:
        self.lengths = np.array([utterance.shape[-1] for utterance in utterances])
        self.targets: dict[str, Tensor] = {
            name: torch.as_tensor(np.asarray(values)) for name, values in targets.items()
        }
        self._ragged = bool((self.lengths != self.lengths[0]).any())
        if self._ragged:
            self._utterances: Any = [_tensor(utterance) for utterance in utterances]
        else:
            self._utterances = _tensor(np.asarray(utterances))

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: np.ndarray) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return some utterances as one tensor, padded by zeros to the longest of them.

        Parameters
        ----------
        rows : ndarray of int
            Which utterances.

        Returns
        -------
        inputs : dict of str to Tensor
            "x", and "lengths" if something is padded.
        targets : dict of str to Tensor
            What is known of each.
        """
        index = torch.from_numpy(rows)
        targets = {name: values[index] for name, values in self.targets.items()}
        if not self._ragged:
            return {"x": self._utterances[index]}, targets
        lengths = self.lengths[rows]
        first = self._utterances[rows[0]]
        x = first.new_zeros((len(rows), *first.shape[:-1], lengths.max()))
        for place, row, length in zip(x, rows, lengths, strict=True):
            place[..., :length] = self._utterances[row]
        inputs = {"x": x}
        if (lengths != lengths[0]).any():
            inputs["lengths"] = torch.from_numpy(lengths)
        return inputs, targets

    def sums(self) -> np.ndarray:
        """Return the sum of the values of every utterance.

        Returns
        -------
        sums : ndarray of shape (n_utterances,)
        """
        if not self._ragged:
            return self._utterances.flatten(1).sum(1).numpy()
        return np.array([float(utterance.sum()) for utterance in self._utterances])

    def update_digest(self, digest: Any) -> None:
        """Feed everything into a hash.

        Parameters
        ----------
        digest : hash object
            As of :mod:`hashlib`.
        """
        digest.update(self.lengths.tobytes())
        for utterance in self._utterances:
            digest.update(utterance.numpy().tobytes())
        for name, values in self.targets.items():
            digest.update(name.encode() + values.numpy().tobytes())


def _tensor(array: np.ndarray) -> Tensor:
    # A copy only of what torch cannot look at: other types, negative strides, read-only memory.
    array = np.ascontiguousarray(array, dtype=np.float32)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


class BatchLoader:
    """Batches of utterances; those of one batch are of similar length.

    The utterances are dealt out to as few batches as hold at most `batch_size`,
    of sizes as equal as possible: no utterance is left out. A batch of a single
    one, of which batch normalisation knows no variance, joins another.

    Parameters
    ----------
    data : UtteranceData
        The utterances.
    batch_size : int
        Most utterances per batch.
    seed : int or None, default=None
        Seed of the order, which is another in every epoch; ``None`` sorts the
        utterances by length, the same in every epoch.

    Attributes
    ----------
    epoch : int
        Number of the next pass; with the seed it decides the order.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.training import BatchLoader, UtteranceData
    >>> data = UtteranceData(np.zeros((9, 4)), y=range(9))
    >>> [len(targets["y"]) for _, targets in BatchLoader(data, 4, seed=0)]
    [3, 3, 3]
    """

    def __init__(self, data: UtteranceData, batch_size: int, *, seed: int | None = None) -> None:
        self.data = data
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        n_batches = -(-len(self.data) // self.batch_size)
        return n_batches if self.batch_size == 1 else max(1, min(n_batches, len(self.data) // 2))

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        batches = self.rows(self.epoch)
        self.epoch += 1
        return map(self.data.batch, batches)

    def rows(self, epoch: int) -> list[np.ndarray]:
        """Return the rows of every batch of an epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch.

        Returns
        -------
        batches : list of ndarray of int
        """
        if self.seed is None:
            return self._sorted
        lengths = self.data.lengths
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(lengths))
        if (lengths == lengths[0]).all():
            return np.array_split(order, len(self))
        blurred = lengths[order] * _SPREAD ** rng.uniform(-0.5, 0.5, len(order))
        batches = np.array_split(order[np.argsort(blurred, kind="stable")], len(self))
        return [batches[place] for place in rng.permutation(len(batches))]

    @cached_property
    def _sorted(self) -> list[np.ndarray]:
        """The batches in order of length, by content where lengths are equal.

        The last bit of an output depends on the place in the batch, which must
        not depend on the order that rows come in.
        """
        order = np.lexsort((self.data.sums(), -self.data.lengths))
        return np.array_split(order, len(self))


def to_device(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Return the tensors on a device."""
    if device.type == "cpu":
        return dict(tensors)
    return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}
