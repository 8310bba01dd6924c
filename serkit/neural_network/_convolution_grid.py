"""The kernel sizes among which the networks with four types of convolution were tuned."""

from collections.abc import Iterable, Sequence
from itertools import product
from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from serkit.modules import convolution_geometry

__all__ = ["convolution_param_grid"]

KernelSizes = tuple[tuple[int, int], tuple[int, int]]

#: Extents of the filters of both layers, along bins and along frames.
_BINS = (range(4, 10), range(3, 5))
_FRAMES = (range(3, 9), range(2, 4))


@validate_params(
    {
        "convolution": [StrOptions({"s", "t", "st", "fst"})],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "context": ["array-like"],
        "prefix": [str],
        "heights": ["array-like", None],
        "top_s": ["array-like", None],
        "top_t": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def convolution_param_grid(
    convolution: str,
    n_bins: int,
    *,
    context: tuple[int, int] = (10, 5),
    prefix: str = "",
    heights: tuple[Iterable[int], Iterable[int]] | None = None,
    top_s: Sequence[KernelSizes] | None = None,
    top_t: Sequence[KernelSizes] | None = None,
) -> dict[str, list[KernelSizes]]:
    """Return the kernel sizes of the paper that fit, as a grid to search.

    Filters span 4 to 9 bins in the first layer and 3 or 4 in the second, 3 to
    8 frames in the first and 2 or 3 in the second. Of 40 bins and the usual
    context, 12 pairs of layers fit for "s" and 10 for "t" and "fst", where 7 or
    8 frames followed by 3 leave too little to pool; and so 120 for "st".

    Parameters
    ----------
    convolution : {"s", "t", "st", "fst"}
        The type, as of :class:`CLDNNClassifier`.
    n_bins : int
        Bins of the frames.
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that are convolved with it.
    prefix : str, default=""
        Put before the name of the parameter: ``"cldnn__"`` for that step of a
        pipeline.
    heights : (iterable of int, iterable of int) or None, default=None
        For "s" and "st": other numbers of bins that the filters span in the first
        and in the second layer, ``(range(4, 31), [3])``.
    top_s : sequence of kernel sizes or None, default=None
        For "st": what was best for "s", whose bins are combined with the frames
        of `top_t`. ``None`` is all that fit. The paper searches "st" among the
        best of "s" and "t" only, and does not say how many.
    top_t : sequence of kernel sizes or None, default=None
        For "st": what was best for "t".

    Returns
    -------
    grid : dict of str to list
        Kernel sizes, by the name of the parameter.

    Raises
    ------
    ValueError
        If none fit.

    See Also
    --------
    CLDNNClassifier : The network that is tuned.
    serkit.inspection.kernel_height_sweep : Tries one height after the other.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, table 2.

    Examples
    --------
    >>> from serkit.neural_network import convolution_param_grid
    >>> grid = convolution_param_grid("fst", 40, prefix="cldnn__")
    >>> len(grid["cldnn__kernel_sizes"]), grid["cldnn__kernel_sizes"][0]
    (10, ((40, 3), (1, 2)))
    """
    if convolution != "st" and (top_s is not None or top_t is not None):
        raise ValueError(f'top_s and top_t are for convolution="st", not {convolution!r}')
    if heights is not None and (convolution not in ("s", "st") or top_s is not None):
        raise ValueError(
            'heights are for convolution="s" and, without top_s, for "st"; of the others filters '
            "span one bin or all"
        )
    n_frames = 1 + sum(context)
    bins = (
        list(product(*(heights or _BINS)))
        if top_s is None
        else [_along(0, sizes) for sizes in top_s]
    )
    frames = list(product(*_FRAMES)) if top_t is None else [_along(1, sizes) for sizes in top_t]
    pairs = {
        "s": product(bins, [(1, 1)]),
        "t": product([(1, 1)], frames),
        "st": product(bins, frames),
        "fst": product([(n_bins, 1)], frames),
    }[convolution]
    sizes = [((h1, w1), (h2, w2)) for (h1, h2), (w1, w2) in pairs]
    fitting = [size for size in sizes if _fit(convolution, size, n_bins, n_frames)]
    if not fitting:
        raise ValueError(
            f'convolution="{convolution}": none of the {len(sizes)} kernel sizes fits {n_bins} '
            f"bins and {n_frames} frames (one and its context)"
        )
    return {f"{prefix}kernel_sizes": fitting}


def _along(axis: int, kernel_sizes: KernelSizes) -> tuple[int, int]:
    first, second = kernel_sizes
    return first[axis], second[axis]


def _fit(convolution: str, kernel_sizes: KernelSizes, n_bins: int, n_frames: int) -> bool:
    try:
        convolution_geometry(convolution, kernel_sizes, n_bins=n_bins, n_frames=n_frames)
    except ValueError:
        return False
    return True
