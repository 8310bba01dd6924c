"""One thread per waveform: the arrays are too small to share."""

import threading
from contextlib import ExitStack
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

__all__ = ["ONE_THREAD"]


class _OwnCounts(threading.local):
    """What the calling thread had set: OpenMP keeps one setting per thread."""

    def __init__(self) -> None:
        self.counts: list[int] = []


class _OneThread:
    """Keep torch on one thread in each thread that is inside, and BLAS while any is.

    On a busy machine threads that wait for each other cost hundreds of times
    what they save; utterances are what runs in parallel.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._restore = ExitStack()
        self._own = _OwnCounts()

    def __enter__(self) -> None:
        self._own.counts.append(torch.get_num_threads())
        torch.set_num_threads(1)
        with self._lock:
            if self._inside == 0:
                self._restore.enter_context(_blas().limit(limits=1))
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(self._own.counts.pop())
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._restore.close()


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


ONE_THREAD = _OneThread()
