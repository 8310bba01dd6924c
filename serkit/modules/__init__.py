"""Layers, encoders and networks: modules of torch that know nothing of scikit-learn."""

from serkit.modules._cnn_bigru import CNN2DBiGRUEncoder, ConvolutionBlock
from serkit.modules._gradient_reversal import GradientReversal
from serkit.modules._masking import MaskedBatchNorm2d, frame_mask, mask_frames
from serkit.modules._mlp import MLPEncoder, MLPHead
from serkit.modules._networks import (
    DomainAdversarialNetwork,
    UtteranceNetwork,
    find_part,
    is_length_aware,
)
from serkit.modules._pooling import (
    AttentionPooling,
    AttentionWeights,
    MeanPooling,
    StatisticsPooling,
)
from serkit.modules._recurrence import BidirectionalGRU, BidirectionalLSTM

__all__ = [
    "AttentionPooling",
    "AttentionWeights",
    "BidirectionalGRU",
    "BidirectionalLSTM",
    "CNN2DBiGRUEncoder",
    "ConvolutionBlock",
    "DomainAdversarialNetwork",
    "GradientReversal",
    "MLPEncoder",
    "MLPHead",
    "MaskedBatchNorm2d",
    "MeanPooling",
    "StatisticsPooling",
    "UtteranceNetwork",
    "find_part",
    "frame_mask",
    "is_length_aware",
    "mask_frames",
]
