"""Layers, encoders and networks: modules of torch that know nothing of scikit-learn."""

from serkit.modules._acrnn import ACRNNEncoder
from serkit.modules._adversarial_autoencoder import (
    AdversarialAutoencoderGANNetwork,
    AdversarialAutoencoderNetwork,
    ConditionalDiscriminator,
)
from serkit.modules._anti_transfer import AntiTransferLoss, gram_matrix
from serkit.modules._backbones import make_backbone
from serkit.modules._baseline_encoders import CNN1DGRUEncoder, TDNNBiLSTMEncoder
from serkit.modules._cnn_bigru import CNN2DBiGRUEncoder, ConvolutionBlock
from serkit.modules._concordance_loss import CCCLoss
from serkit.modules._convolution_geometry import convolution_geometry
from serkit.modules._convolution_types import ConvolutionFrontEnd, DCTConv
from serkit.modules._feature_tap import FeatureMap, FeatureTap, convolution_names
from serkit.modules._glam import GLAMEncoder, GlobalAwareBlock, MultiScaleBlock
from serkit.modules._gradient_reversal import GradientReversal
from serkit.modules._info_gan_autoencoder import InfoGANAutoencoderNetwork
from serkit.modules._initialization import initialize_acrnn, initialize_glorot
from serkit.modules._ldnn import CLDNNEncoder, LDNNEncoder
from serkit.modules._masking import MaskedBatchNorm2d, frame_mask, mask_frames
from serkit.modules._mlp import MLPEncoder, MLPHead
from serkit.modules._multi_time_scale import (
    SCALE_SETS,
    MultiTimeScaleConv2d,
    resample_kernel,
)
from serkit.modules._multi_time_scale_encoders import MultiTimeScaleEncoder
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
from serkit.modules._quaternion import hamilton_product, initialize_quaternion
from serkit.modules._quaternion_batch_norm import QuaternionBatchNorm2d
from serkit.modules._quaternion_layers import (
    QuaternionConv2d,
    QuaternionConvTranspose2d,
    QuaternionLinear,
)
from serkit.modules._recurrence import BidirectionalGRU, BidirectionalLSTM
from serkit.modules._rh_emo import RHEmoLoss, RHEmoNetwork, RHEmoOutput, binarize_vad
from serkit.modules._sequence_encoders import BiGRUEncoder, SequenceCNNEncoder
from serkit.modules._time_scale_conversion import convert_to_multi_time_scale

__all__ = [
    "SCALE_SETS",
    "ACRNNEncoder",
    "AdversarialAutoencoderGANNetwork",
    "AdversarialAutoencoderNetwork",
    "AntiTransferLoss",
    "AttentionPooling",
    "AttentionWeights",
    "BiGRUEncoder",
    "BidirectionalGRU",
    "BidirectionalLSTM",
    "CCCLoss",
    "CLDNNEncoder",
    "CNN1DGRUEncoder",
    "CNN2DBiGRUEncoder",
    "ConditionalDiscriminator",
    "ConvolutionBlock",
    "ConvolutionFrontEnd",
    "DCTConv",
    "DomainAdversarialNetwork",
    "FeatureMap",
    "FeatureTap",
    "GLAMEncoder",
    "GlobalAwareBlock",
    "GradientReversal",
    "InfoGANAutoencoderNetwork",
    "LDNNEncoder",
    "MLPEncoder",
    "MLPHead",
    "MaskedBatchNorm2d",
    "MeanPooling",
    "MultiScaleBlock",
    "MultiTimeScaleConv2d",
    "MultiTimeScaleEncoder",
    "QuaternionBatchNorm2d",
    "QuaternionConv2d",
    "QuaternionConvTranspose2d",
    "QuaternionLinear",
    "RHEmoLoss",
    "RHEmoNetwork",
    "RHEmoOutput",
    "SequenceCNNEncoder",
    "StatisticsPooling",
    "TDNNBiLSTMEncoder",
    "UtteranceNetwork",
    "binarize_vad",
    "convert_to_multi_time_scale",
    "convolution_geometry",
    "convolution_names",
    "find_part",
    "frame_mask",
    "gram_matrix",
    "hamilton_product",
    "initialize_acrnn",
    "initialize_glorot",
    "initialize_quaternion",
    "is_length_aware",
    "make_backbone",
    "mask_frames",
    "resample_kernel",
]
