"""One thread per waveform: the arrays are too small to share."""

import threading
from contextlib import ExitStack
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

__all__ = ["ONE_THREAD"]


class _OneThread:
    """Keep torch and BLAS on one thread while any thread is inside.

    On a busy machine threads that wait for each other cost hundreds of times
    what they save; utterances are what runs in parallel.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._restore = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._restore.callback(torch.set_num_threads, torch.get_num_threads())
                self._restore.enter_context(_blas().limit(limits=1))
            # Needed in each thread: OpenMP keeps one setting per thread.
            torch.set_num_threads(1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._restore.close()


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


ONE_THREAD = _OneThread()
