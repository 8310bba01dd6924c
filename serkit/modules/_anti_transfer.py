"""The loss that keeps a network from what another one has learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._masking import mask_frames

__all__ = ["AntiTransferLoss", "gram_matrix"]

_AGGREGATIONS = ("gram", "mean", "sum", "max", "compressed_product")
_SIMILARITIES = ("squared_cosine", "sigmoid_mse")
_GRAMS = ("sample", "batch_rowwise")


def gram_matrix(features: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Multiply every channel of an utterance with every other.

    Parameters
    ----------
    features : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
        A padded batch of feature maps.
    lengths : Tensor of shape (n_utterances,) or None, default=None
        Number of frames of every utterance; ``None`` if nothing is padded.

    Returns
    -------
    gram : Tensor of shape (n_utterances, n_channels, n_channels)
        Sums over bins and frames of the products, in single precision at least.

    See Also
    --------
    AntiTransferLoss : Takes the matrices of a frozen reference, which can be kept.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import gram_matrix
    >>> gram_matrix(torch.tensor([[[[1.0, 0.0, 2.0]], [[0.0, 1.0, 1.0]]]]))
    tensor([[[5., 2.],
             [2., 2.]]])
    """
    return _products(_in_single_precision(mask_frames(features, lengths)).flatten(2))


class AntiTransferLoss(nn.Module):
    """How much the feature maps of a network resemble those of a frozen reference.

    Added to the loss of a task, it keeps the network from what the reference
    has learnt for another one.

    Parameters
    ----------
    aggregation : {"gram", "mean", "sum", "max", "compressed_product"}, default="gram"
        How the channels become what is compared: products of every two of them,
        summed over the map, or one map, their mean, sum, maximum, or product
        after ``(x + eps) ** compression``. The product needs features without
        negative values.
    similarity : {"squared_cosine", "sigmoid_mse"}, default="squared_cosine"
        The squared cosine, in [0, 1], or the mean squared error through a
        sigmoid, negative, in [-1, -0.5].
    beta : float, default=1.0
        Weight of the loss. Below zero it rewards likeness.
    gram : {"sample", "batch_rowwise"}, default="sample"
        "sample": one matrix per utterance. "batch_rowwise": one matrix of the
        channels of all utterances, divided by a thousandth of the number of
        values; the cosines of its rows, without sign, are averaged and then
        squared.
    compression : float, default=1e-3
        Exponent of the compressed product.
    eps : float, default=1e-10
        Added before the product is compressed. Squared, it is the least scale
        that squared cosines divide by: those of a network that is all but dead
        go to 0, and gradients stay finite.

    See Also
    --------
    gram_matrix : What "gram" compares; of the reference it can be computed once.

    Notes
    -----
    The channels of one network can be permuted without a change of what it
    computes, but not without a change of the loss: a network may lower it that
    way.

    The mean squared error grows with the scale of the features. That of Gram
    matrices is easily so large that the sigmoid has no gradient left.

    References
    ----------
    Guizzo, Weyde and Tarroni, "Anti-transfer learning for task invariance in
    convolutional neural networks for speech processing", Neural Networks 142, 2021.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import AntiTransferLoss
    >>> trained = torch.tensor([[[[1.0, 1.0, 0.0]], [[2.0, 0.0, 1.0]]]])
    >>> reference = torch.tensor([[[[1.0, 0.0, 2.0]], [[0.0, 1.0, 1.0]]]])
    >>> AntiTransferLoss()(trained, reference)
    tensor(0.5727)
    """

    def __init__(
        self,
        aggregation: str = "gram",
        similarity: str = "squared_cosine",
        beta: float = 1.0,
        gram: str = "sample",
        compression: float = 1e-3,
        eps: float = 1e-10,
    ) -> None:
        super().__init__()
        _check_option("aggregation", aggregation, _AGGREGATIONS)
        _check_option("similarity", similarity, _SIMILARITIES)
        _check_option("gram", gram, _GRAMS)
        self.aggregation = aggregation
        self.similarity = similarity
        self.beta = beta
        self.gram = gram
        self.compression = compression
        self.eps = eps

    def forward(
        self,
        features_trained: Tensor,
        features_reference: Tensor,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Compare the features of a batch, utterance by utterance.

        Parameters
        ----------
        features_trained : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            Feature maps of the network that is trained.
        features_reference : Tensor of the same shape, or of shape \
                (n_utterances, n_channels, n_channels)
            Feature maps of the reference, or their :func:`gram_matrix`. No
            gradient goes there.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance in these maps; ``None`` if
            nothing is padded.

        Returns
        -------
        loss : Tensor
            The mean over the utterances, times `beta`.
        """
        reference = features_reference.detach()
        self._check_shapes(features_trained.shape, reference.shape)
        trained = self._aggregate(features_trained, lengths)
        if reference.ndim == 3:
            reference = _in_single_precision(reference).flatten(1)
        else:
            reference = self._aggregate(reference, lengths)
        if self.similarity == "squared_cosine":
            return self.beta * self._squared_cosine(trained, reference)
        errors = (trained - reference).square().mean(1)
        if self.aggregation != "gram":
            errors = errors / _real_share(features_trained, lengths)
        return -self.beta * self._sigmoid(errors)

    @property
    def _over_batch(self) -> bool:
        return self.aggregation == "gram" and self.gram == "batch_rowwise"

    def _check_shapes(self, trained: torch.Size, reference: torch.Size) -> None:
        if len(trained) != 4:
            raise ValueError(
                "features have the axes utterances, channels, bins and frames; "
                f"got the shape {tuple(trained)}"
            )
        if len(reference) == 3:
            if self.aggregation != "gram" or self._over_batch:
                raise ValueError(
                    "a Gram matrix of the reference can be given for aggregation='gram' and "
                    "gram='sample' only; give its feature maps"
                )
            trained = torch.Size((trained[0], trained[1], trained[1]))
        if trained != reference:
            raise ValueError(
                f"the reference should have the shape {tuple(trained)}, as the trained network "
                f"has; got {tuple(reference)}; tap both at the same layer"
            )

    def _aggregate(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """Return what is compared, row by row: of every utterance, or of every channel."""
        features = _in_single_precision(mask_frames(features, lengths))
        if self._over_batch:
            n_values = features.numel() * _real_share(features, lengths).mean()
            return _products(features.flatten(2).flatten(0, 1)) / (1e-3 * n_values)
        if self.aggregation == "gram":
            return _products(features.flatten(2)).flatten(1)
        return mask_frames(self._one_map(features), lengths).flatten(1)

    def _one_map(self, features: Tensor) -> Tensor:
        if self.aggregation == "mean":
            return features.mean(1)
        if self.aggregation == "sum":
            return features.sum(1)
        if self.aggregation == "max":
            return features.amax(1)
        if (features < 0).any():
            raise ValueError(
                "aggregation='compressed_product' takes no negative features; tap behind the ReLU"
            )
        return (self.compression * (features + self.eps).log().sum(1)).exp()

    def _squared_cosine(self, trained: Tensor, reference: Tensor) -> Tensor:
        # Norms of Gram matrices would leave the range of single precision.
        trained = _rescale(trained, least=self.eps**2)
        reference = _rescale(reference, least=torch.finfo(reference.dtype).tiny)
        cosine = functional.cosine_similarity(trained, reference, dim=1, eps=self.eps)
        if self._over_batch:
            return cosine.abs().mean().square()
        return cosine.square().mean()

    def _sigmoid(self, errors: Tensor) -> Tensor:
        if self._over_batch:
            return errors.mean().sigmoid()
        return errors.sigmoid().mean()


def _check_option(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ValueError(f"{name} is one of {options}, not {value!r}")


def _in_single_precision(x: Tensor) -> Tensor:
    """Return `x` in single precision at least: its products have a wide range."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _rescale(rows: Tensor, least: float) -> Tensor:
    """Divide every row by its largest absolute value, or by `least` if that is larger."""
    return rows / rows.detach().abs().amax(1, keepdim=True).clamp(min=least)


def _products(rows: Tensor) -> Tensor:
    # Mixed precision would round the factors.
    with torch.autocast(rows.device.type, enabled=False):
        return rows @ rows.mT


def _real_share(features: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the share of the frames of every utterance that is no padding."""
    if lengths is None:
        return features.new_ones(1)
    return lengths.to(features.dtype) / features.shape[-1]
