"""Quaternions as blocks of real channels: their product, and weights to start from."""

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "check_quaternions",
    "hamilton_product",
    "initialize_quaternion",
    "quaternion_matrix",
    "weight_scale",
]


def check_quaternions(**sizes: int) -> None:
    """Refuse numbers of channels, given by name, that are not those of whole quaternions."""
    for name, size in sizes.items():
        if size < 4 or size % 4:
            raise ValueError(
                f"{name}={size}, but quaternions have four components each; give a multiple of 4"
            )


def hamilton_product(q: Tensor, p: Tensor, dim: int = -1) -> Tensor:
    """Multiply quaternions.

    The product does not commute.

    Parameters
    ----------
    q, p : Tensor
        The factors, which are broadcast. Along `dim` stand all real parts, then as
        many values of i, of j and of k; one quaternion is broadcast to many.
    dim : int, default=-1
        The axis of the components.

    Returns
    -------
    product : Tensor
        In the same layout.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import hamilton_product
    >>> hamilton_product(torch.tensor([1, 2, 3, 4]), torch.tensor([5, 6, 7, 8]))
    tensor([-60,  12,  30,  24])
    """
    if dim >= 0:  # one axis in both, whichever has fewer
        dim -= max(q.ndim, p.ndim)
    check_quaternions(**{f"q.shape[{dim}]": q.shape[dim], f"p.shape[{dim}]": p.shape[dim]})
    q0, q1, q2, q3 = q.chunk(4, dim)
    p0, p1, p2, p3 = p.chunk(4, dim)
    return torch.cat(
        [
            q0 * p0 - q1 * p1 - q2 * p2 - q3 * p3,
            q0 * p1 + q1 * p0 + q2 * p3 - q3 * p2,
            q0 * p2 - q1 * p3 + q2 * p0 + q3 * p1,
            q0 * p3 + q1 * p2 - q2 * p1 + q3 * p0,
        ],
        dim,
    )


def quaternion_matrix(weight: Tensor) -> Tensor:
    """Return the real weights that multiply blocks of channels by quaternions from the left.

    `weight` has the blocks r, i, j, k along its first axis, which is the first
    column of the matrix; the second axis becomes four times as long.
    """
    r, i, j, k = weight.chunk(4)
    _, minus_i, minus_j, minus_k = (-weight).chunk(4)
    columns = [
        weight,
        torch.cat([minus_i, r, k, minus_j]),
        torch.cat([minus_j, minus_k, r, i]),
        torch.cat([minus_k, j, minus_i, r]),
    ]
    return torch.cat(columns, dim=1)


def weight_scale(init: str, fan_in: int, fan_out: int) -> float:
    """Return the scale of the weights for a layer with so many quaternions on its two sides."""
    if init == "glorot":
        return 1 / math.sqrt(2 * (fan_in + fan_out))
    if init == "he":
        return 1 / math.sqrt(2 * fan_in)
    raise ValueError(f'init is "glorot" or "he", not {init!r}')


@torch.no_grad()
def initialize_quaternion(weight: Tensor, scale: float) -> Tensor:
    """Draw quaternions whose directions are random.

    The modulus follows a chi distribution with four degrees of freedom, the phase
    is uniform, and so is the imaginary axis.

    Parameters
    ----------
    weight : Tensor of shape (4 * n_quaternions, ...)
        It is changed. Along its first axis stand all real parts, then the values
        of i, of j and of k.
    scale : float
        Factor of the modulus, the square of which is ``4 * scale ** 2`` on average.

    Returns
    -------
    weight : Tensor
        The same.

    References
    ----------
    Parcollet et al., "Quaternion Recurrent Neural Networks", ICLR 2019.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import initialize_quaternion
    >>> weight = initialize_quaternion(torch.empty(4 * 1000, 10), scale=0.5)
    >>> squared_modulus = weight.square().reshape(4, 1000, 10).sum(0)
    >>> bool((squared_modulus.mean() - 4 * 0.5**2).abs() < 0.05)
    True
    """
    check_quaternions(**{"weight.shape[0]": weight.shape[0]})
    parts = weight.unflatten(0, (4, -1))
    modulus = scale * torch.linalg.vector_norm(torch.randn_like(parts), dim=0)
    phase = torch.empty_like(parts[0]).uniform_(-math.pi, math.pi)
    axis = functional.normalize(torch.randn_like(parts[1:]), dim=0)
    parts[0] = modulus * phase.cos()
    parts[1:] = modulus * phase.sin() * axis
    return weight
