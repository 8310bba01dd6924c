"""CPU time of rival functions, measured side by side."""

import time
from collections.abc import Callable, Mapping

__all__ = ["best_of", "print_ratios"]


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
