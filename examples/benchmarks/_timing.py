"""CPU time of rival functions, measured side by side, and memory of processes."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from typing import Any

from serkit.training import torch_session

__all__ = ["best_of", "best_step", "peak_memory", "print_ratios"]


def peak_memory() -> float:
    """Return the most memory that this process has had so far, in GB (1e9 bytes).

    On Linux a process begins with the peak of the one that started it, so start it
    from one that has made nothing large.

    Returns
    -------
    gigabytes : float
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def best_of(functions: Mapping[str, Callable[[], object]], repeats: int = 5) -> dict[str, float]:
    """Measure the least CPU time of every function, in turns.

    Each function runs once unmeasured; then one round after the other, so that
    a busy moment of the machine meets all of them alike.

    Parameters
    ----------
    functions : dict of str to callable
        Functions without arguments.
    repeats : int, default=5
        Number of measured rounds.

    Returns
    -------
    seconds : dict of str to float
        Least CPU time (user and system, all threads of the process) of each.
    """
    for function in functions.values():
        function()
    seconds = dict.fromkeys(functions, float("inf"))
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.process_time()
            function()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def best_step(
    make_step: Callable[..., Callable[[], object]], *arguments: Any, repeats: int = 4
) -> tuple[float, float]:
    """Measure a step of training in a process of its own, for the peak of memory is that of one.

    Parameters
    ----------
    make_step : callable
        Returns the step; of a module, so that another process finds it.
    *arguments : object
        What it gets.
    repeats : int, default=4
        Number of measured steps, behind one that is not.

    Returns
    -------
    seconds : float
        Least CPU time of a step.
    gigabytes : float
        What data, network and steps needed at most, in 1e9 bytes.
    """
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_step, (make_step, arguments, repeats))


def _measure_step(make_step, arguments, repeats) -> tuple[float, float]:
    with torch_session(seed=0, num_threads=1):
        before = peak_memory()
        step = make_step(*arguments)
        seconds = best_of({"step": step}, repeats)["step"]
    return seconds, peak_memory() - before


def print_ratios(
    title: str,
    seconds: Mapping[str, float],
    *,
    reference: str | None,
    duration: float | None = None,
) -> None:
    """Print one line per function: its CPU time, and how much faster it is than a reference.

    Parameters
    ----------
    title : str
        What was measured.
    seconds : dict of str to float
        The result of :func:`best_of`.
    reference : str or None
        The function whose time is divided by the others'; ``None`` if there is
        no rival.
    duration : float or None, default=None
        Length of the audio that was processed, in seconds; times are then
        given in ms per s of audio.
    """
    print(title)
    for name, value in seconds.items():
        time_spent = (
            f"{value:9.3f} s" if duration is None else f"{1e3 * value / duration:9.3f} ms/s"
        )
        ratio = "" if reference is None else f"{seconds[reference] / value:8.2f} x"
        print(f"  {name:<28}{time_spent}{ratio}")
