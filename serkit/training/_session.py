"""What surrounds every pass through a network: lock, seed, threads, memory."""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any

import torch

__all__ = ["choose_device", "torch_session"]

#: torch's random state and number of threads belong to the process, so one fit at a time has them.
_LOCK = RLock()

# Options of mallopt in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1


def choose_device(device: str | torch.device) -> torch.device:
    """Turn the parameter `device` of an estimator into a device of torch.

    Parameters
    ----------
    device : str or torch.device
        A device, or "auto": a GPU that torch can use, otherwise the CPU.

    Returns
    -------
    device : torch.device

    Examples
    --------
    >>> from serkit.training import choose_device
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


@contextmanager
def torch_session(
    *,
    seed: int | None = None,
    num_threads: int | None = None,
    device: torch.device | None = None,
) -> Iterator[None]:
    """Have torch for oneself: other threads that want it wait.

    Parameters
    ----------
    seed : int or None, default=None
        Seed of torch inside; its random state is put back afterwards. ``None``
        leaves the state alone.
    num_threads : int or None, default=None
        Threads of torch inside; the number is put back afterwards. ``None``
        leaves it alone.
    device : torch.device or None, default=None
        The GPU whose random state is put back too, if it is one.

    Examples
    --------
    >>> import torch
    >>> from serkit.training import torch_session
    >>> with torch_session(seed=0):
    ...     first = torch.rand(())
    >>> with torch_session(seed=0):
    ...     first == torch.rand(())
    tensor(True)
    """
    with _LOCK:
        _keep_freed_memory()
        threads_before = torch.get_num_threads()
        if num_threads is not None and num_threads != threads_before:
            torch.set_num_threads(num_threads)
        try:
            devices = [device] if device is not None and device.type == "cuda" else []
            with torch.random.fork_rng(devices, enabled=seed is not None):
                if seed is not None:
                    torch.manual_seed(seed)
                yield
        finally:
            if torch.get_num_threads() != threads_before:
                torch.set_num_threads(threads_before)
            if seed is not None:  # Predictions are too short for it.
                _give_memory_back()


@cache
def _find_malloc() -> Any:
    """Return glibc, if there is one and it may be tuned: not with ``SERKIT_NO_MALLOPT=1``."""
    if os.environ.get("SERKIT_NO_MALLOPT") or platform.libc_ver()[0] != "glibc":
        return None
    return ctypes.CDLL("libc.so.6")


@cache
def _keep_freed_memory() -> None:
    """Keep glibc from giving large tensors back to the system, to ask for them at once again.

    A third of the time of a convolutional network goes into that. Once per
    process.
    """
    libc = _find_malloc()
    if libc is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _NEVER)
        libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)


def _give_memory_back() -> None:
    """Give back what the tensors of a training have left; batches of all lengths leave much."""
    libc = _find_malloc()
    if libc is not None:
        libc.malloc_trim(0)
