"""Layers whose weights are quaternions: a quarter of those of the real layers."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._cnn_bigru import Size, pair
from serkit.modules._quaternion import (
    check_quaternions,
    initialize_quaternion,
    quaternion_matrix,
    weight_scale,
)

__all__ = ["QuaternionConv2d", "QuaternionConvTranspose2d", "QuaternionLinear"]


class _QuaternionLayer(nn.Module):
    """Weights from which the real ones, of `real_shape`, are put together."""

    def __init__(
        self, n_inputs: int, n_outputs: int, real_shape: tuple[int, ...], bias: bool, init: str
    ) -> None:
        super().__init__()
        n_rows, n_columns, *kernel = real_shape
        fans = (n // 4 * math.prod(kernel) for n in (n_inputs, n_outputs))
        self._scale = weight_scale(init, *fans)
        # Of four axes at most, which is what the layout "channels last" takes.
        self.weight = nn.Parameter(torch.empty(n_rows, n_columns // 4, *kernel))
        self.bias = nn.Parameter(torch.empty(n_outputs)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        initialize_quaternion(self.weight, self._scale)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class QuaternionLinear(_QuaternionLayer):
    """A fully connected layer that multiplies by quaternions.

    The features are all real parts, then all values of i, of j and of k; maps of
    a quaternion convolution stay in this order when they are flattened.

    Parameters
    ----------
    in_features : int
        Real features of the input, four per quaternion.
    out_features : int
        Real features of the output, four per quaternion.
    bias : bool, default=True
        Add a real bias to every feature.
    init : {"he", "glorot"}, default="he"
        What the scale of the first weights is after.

    See Also
    --------
    initialize_quaternion : How the first weights are drawn.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", appendix A.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import QuaternionLinear
    >>> layer = QuaternionLinear(8, 12)
    >>> layer(torch.zeros(2, 8)).shape, layer.weight.numel()
    (torch.Size([2, 12]), 24)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, init: str = "he"
    ) -> None:
        check_quaternions(in_features=in_features, out_features=out_features)
        super().__init__(in_features, out_features, (out_features, in_features), bias, init)
        self.in_features = in_features
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        x : Tensor of shape (..., in_features)
            The features.

        Returns
        -------
        y : Tensor of shape (..., out_features)
        """
        return functional.linear(x, quaternion_matrix(self.weight), self.bias)

    def extra_repr(self) -> str:
        """Return what is shown between the brackets.

        Returns
        -------
        text : str
        """
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class _QuaternionConvolution(_QuaternionLayer):
    """What a convolution and a transposed one keep of their parameters."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        *,
        transposed: bool,
        bias: bool,
        init: str,
    ) -> None:
        check_quaternions(in_channels=in_channels, out_channels=out_channels)
        kernel = pair(kernel_size)
        channels = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        super().__init__(in_channels, out_channels, (*channels, *kernel), bias, init)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding!r}, dilation={self.dilation}, "
            f"bias={self.bias is not None}"
        )


class QuaternionConv2d(_QuaternionConvolution):
    """A convolution with kernels of quaternions, as one real convolution.

    The channels are all real parts, then all values of i, of j and of k.

    Parameters
    ----------
    in_channels : int
        Real channels of the input, four per quaternion.
    out_channels : int
        Real channels of the output, four per quaternion.
    kernel_size : int or (int, int)
        Extent of the kernel (bins, frames).
    stride : int or (int, int), default=1
        Step of the kernel (bins, frames).
    padding : int, (int, int) or "same", default=0
        Zeros on either side (bins, frames).
    dilation : int or (int, int), default=1
        Distance of the weights of a kernel (bins, frames).
    bias : bool, default=True
        Add a real bias to every channel.
    init : {"glorot", "he"}, default="glorot"
        What the scale of the first weights is after.

    See Also
    --------
    initialize_quaternion : How the first weights are drawn.
    QuaternionConvTranspose2d : Its adjoint.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", appendix A.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import QuaternionConv2d
    >>> layer = QuaternionConv2d(4, 8, 3, padding=1)
    >>> layer(torch.zeros(2, 4, 26, 63)).shape, layer.weight.numel()
    (torch.Size([2, 8, 26, 63]), 72)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        *,
        dilation: Size = 1,
        bias: bool = True,
        init: str = "glorot",
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation,
            transposed=False, bias=bias, init=init,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        y : Tensor of shape (n_utterances, out_channels, n_bins_out, n_frames_out)
        """
        weight = quaternion_matrix(self.weight)
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation)


class QuaternionConvTranspose2d(_QuaternionConvolution):
    """The adjoint of a quaternion convolution, as one real transposed convolution.

    It multiplies by the conjugates of its weights, so that the weights of a
    :class:`QuaternionConv2d` from `out_channels` to `in_channels` fit it as they do
    in the real layers.

    Parameters
    ----------
    in_channels : int
        Real channels of the input, four per quaternion.
    out_channels : int
        Real channels of the output, four per quaternion.
    kernel_size : int or (int, int)
        Extent of the kernel (bins, frames).
    stride : int or (int, int), default=1
        Step of the kernel in the output (bins, frames).
    padding : int or (int, int), default=0
        Bins and frames to take off either side of the output.
    output_padding : int or (int, int), default=0
        Bins and frames to add at one side of the output.
    dilation : int or (int, int), default=1
        Distance of the weights of a kernel (bins, frames).
    bias : bool, default=True
        Add a real bias to every channel.
    init : {"he", "glorot"}, default="he"
        What the scale of the first weights is after.

    See Also
    --------
    initialize_quaternion : How the first weights are drawn.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", appendix A.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import QuaternionConvTranspose2d
    >>> layer = QuaternionConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
    >>> layer(torch.zeros(2, 8, 13, 32)).shape, layer.weight.numel()
    (torch.Size([2, 4, 26, 64]), 72)
    """

    padding: Size

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        *,
        output_padding: Size = 0,
        dilation: Size = 1,
        bias: bool = True,
        init: str = "he",
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation,
            transposed=True, bias=bias, init=init,
        )  # fmt: skip
        self.output_padding = output_padding

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        y : Tensor of shape (n_utterances, out_channels, n_bins_out, n_frames_out)
        """
        weight = quaternion_matrix(self.weight)
        return functional.conv_transpose2d(
            x, weight, self.bias, self.stride, self.padding, self.output_padding,
            dilation=self.dilation,
        )  # fmt: skip
