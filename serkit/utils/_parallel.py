"""One loop over utterances: sequential or through joblib, with a progress bar on request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from tqdm.auto import tqdm

__all__ = ["parallel_map"]


def parallel_map(
    function: Callable[..., Any],
    items: Sequence[Any] | np.ndarray,
    *,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
    description: str | None = None,
    prefer: str | None = "threads",
) -> Iterator[Any]:
    """Apply a function to every item and yield the results in order, as they come.

    Parameters
    ----------
    function : callable
        Called with one item at a time.
    items : sequence
        The items.
    n_jobs : int or None, default=None
        Number of jobs of :class:`joblib.Parallel`; ``None`` means 1 unless a
        :func:`joblib.parallel_config` is active.
    verbose : int or bool, default=0
        Show a progress bar when positive.
    description : str or None, default=None
        Text before the progress bar.
    prefer : {"threads", "processes"} or None, default="threads"
        Soft hint for joblib; a backend chosen outside wins. Signal processing
        releases the interpreter lock, so threads spare the copies.

    Returns
    -------
    results : iterator
        One result per item, in the order of the items.

    Examples
    --------
    >>> from serkit.utils import parallel_map
    >>> list(parallel_map(abs, [-1, 2]))
    [1, 2]
    """
    results: Iterable[Any]
    if effective_n_jobs(n_jobs) == 1:
        results = map(function, items)
    else:
        results = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator")(
            delayed(function)(item) for item in items
        )
    return iter(tqdm(results, total=len(items), desc=description, disable=not verbose))
