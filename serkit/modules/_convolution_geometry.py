"""How far four types of convolution reach, and what they leave of a frame with its context."""

from collections.abc import Sequence
from numbers import Integral

from serkit.modules._cnn_bigru import pair

__all__ = [
    "MOVES",
    "POOL_SIZE",
    "POOL_STRIDE",
    "Shape",
    "check_type",
    "convolution_geometry",
    "least_bins",
    "pairs",
    "usual_kernel_sizes",
]

Shape = tuple[int, int]

#: By type, whether its filters move, and it pools, along (bins, frames).
MOVES = {"s": (True, False), "t": (False, True), "st": (True, True), "fst": (False, True)}
#: By type, the least extent of a filter (bins, frames).
_LEAST = {"s": (1, 1), "t": (1, 2), "st": (2, 2), "fst": (1, 2)}
#: By type, the usual extents of both layers along bins and along frames.
_USUAL = {
    "s": ((22, 3), (1, 1)),
    "t": ((1, 1), (5, 2)),
    "st": ((6, 3), (5, 2)),
    "fst": ((1, 1), (5, 2)),
}
POOL_SIZE, POOL_STRIDE = 3, 2
_MORE = (("bins", "features of more bins"), ("frames", "a wider context"))


def convolution_geometry(
    convolution: str, kernel_sizes: Sequence[Shape], *, n_bins: int, n_frames: int = 16
) -> list[Shape]:
    """Return what every convolution and every pooling leaves of a frame with its context.

    Nothing is padded: where a pooling sees less than the 3 bins or frames that
    it takes, nothing is left.

    Parameters
    ----------
    convolution : {"s", "t", "st", "fst"}
        The type, as of :class:`ConvolutionFrontEnd`.
    kernel_sizes : sequence of (int, int)
        Extent of the filters of every layer (bins, frames).
    n_bins : int
        Bins of the frames.
    n_frames : int, default=16
        A frame and its context.

    Returns
    -------
    shapes : list of (int, int)
        (bins, frames) behind the first convolution, the first pooling, the
        second convolution, and so on.

    Raises
    ------
    ValueError
        If filters are not of the type, or a layer leaves nothing.

    Examples
    --------
    >>> from serkit.modules import convolution_geometry
    >>> convolution_geometry("st", [(6, 5), (3, 2)], n_bins=40)
    [(35, 12), (17, 5), (15, 4), (7, 1)]
    """
    check_type(convolution)
    kernels = pairs(kernel_sizes)
    shape, shapes = (n_bins, n_frames), []
    for layer, kernel in enumerate(kernels, start=1):
        _check_kernel(convolution, kernel, shape[0], layer)
        convolved = (shape[0] - kernel[0] + 1, shape[1] - kernel[1] + 1)
        for axis, (name, more) in enumerate(_MORE):
            if MOVES[convolution][axis] and convolved[axis] < POOL_SIZE:
                most = shape[axis] - POOL_SIZE + 1
                hints = [f"at most {most} {name} there"] * (most >= _LEAST[convolution][axis])
                hints += ["smaller filters before"] * (layer > 1)
                raise ValueError(
                    f"kernel_sizes={kernels} leave nothing: the pooling of layer {layer} takes "
                    f"{POOL_SIZE} {name}, and gets {max(0, convolved[axis])} of the "
                    f"{shape[axis]} that reach the layer. Use {' or '.join([*hints, more])}"
                )
        shape = _pooled(convolution, convolved)
        shapes += [convolved, shape]
    return shapes


def _pooled(convolution: str, shape: Shape) -> Shape:
    bins, frames = (
        (size - POOL_SIZE) // POOL_STRIDE + 1 if moves else size
        for size, moves in zip(shape, MOVES[convolution], strict=True)
    )
    return bins, frames


def check_type(convolution: str) -> None:
    if convolution not in MOVES:
        raise ValueError(f"convolution is one of {', '.join(MOVES)}, not {convolution!r}")


def _check_kernel(convolution: str, kernel: Shape, n_bins: int, layer: int) -> None:
    """Raise if a filter is not of the type."""
    bins, frames = kernel
    all_bins = f"all {n_bins} bins" if n_bins > 1 else "one bin"
    right, wanted = {
        "s": (frames == 1, "one frame"),
        "t": (bins == 1 and frames > 1, "one bin and two frames or more"),
        "st": (bins > 1 and frames > 1, "two bins and two frames or more"),
        "fst": (bins == n_bins and frames > 1, f"{all_bins} and two frames or more"),
    }[convolution]
    if not right:
        raise ValueError(
            f'convolution="{convolution}" has filters of {wanted} in layer {layer}, not of '
            f"(bins, frames) = {kernel}"
        )


def pairs(kernel_sizes: Sequence[Shape]) -> tuple[Shape, ...]:
    if not len(kernel_sizes) or any(isinstance(size, Integral) for size in kernel_sizes):
        raise ValueError(
            "kernel_sizes has a pair (bins, frames) for each layer, such as ((4, 3), (3, 2)), not "
            f"{kernel_sizes!r}"
        )
    return tuple(pair(size) for size in kernel_sizes)


def usual_kernel_sizes(convolution: str, n_bins: int, n_frames: int) -> tuple[Shape, Shape]:
    """Return the usual filters of two layers, or the largest below them that fit."""
    (first_bins, second_bins), (first_frames, second_frames) = (
        _fitting(_USUAL[convolution][axis], _LEAST[convolution][axis], size)
        if MOVES[convolution][axis]
        else (1, 1)
        for axis, size in enumerate((n_bins, n_frames))
    )
    if convolution == "fst":
        first_bins = n_bins
    return (first_bins, first_frames), (second_bins, second_frames)


def _fitting(usual: Shape, least: int, size: int) -> Shape:
    for second in range(usual[1], least - 1, -1):
        for first in range(usual[0], least - 1, -1):
            reach_second = (size - first + 1 - POOL_SIZE) // POOL_STRIDE + 1
            if reach_second - second + 1 >= POOL_SIZE:
                return first, second
    return least, least


def least_bins(convolution: str) -> int:
    """Return how many bins two layers of the smallest filters need."""
    n_bins = 1
    for _ in range(2 if MOVES[convolution][0] else 0):
        n_bins = (n_bins - 1) * POOL_STRIDE + POOL_SIZE + _LEAST[convolution][0] - 1
    return n_bins
