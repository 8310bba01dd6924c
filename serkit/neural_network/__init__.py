"""Neural networks as scikit-learn estimators."""

from serkit.neural_network._acrnn import ACRNNClassifier
from serkit.neural_network._anti_transfer import AntiTransferClassifier
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._convolution_grid import convolution_param_grid
from serkit.neural_network._crnn import CRNNClassifier, CRNNRegressor
from serkit.neural_network._domain_adversarial import DomainAdversarialClassifier
from serkit.neural_network._fine_tune import FineTuneClassifier
from serkit.neural_network._glam import GLAMClassifier
from serkit.neural_network._ldnn import CLDNNClassifier, LDNNClassifier
from serkit.neural_network._mlp import MLPClassifier
from serkit.neural_network._multi_time_scale import MultiTimeScaleClassifier
from serkit.neural_network._quaternion import QuaternionCNNClassifier
from serkit.neural_network._regressor import NeuralRegressor
from serkit.neural_network._rh_emo import RHEmoTransformer
from serkit.neural_network._segment_aggregation import SegmentAggregationClassifier
from serkit.neural_network._sequence_fusion import WeightedAverageFusion
from serkit.neural_network._sequence_post import SequencePostProcessor, join_slices
from serkit.neural_network._sequence_regressors import BiGRURegressor, SequenceCNNRegressor
from serkit.neural_network._valence import UtteranceRegressor

__all__ = [
    "ACRNNClassifier",
    "AntiTransferClassifier",
    "BiGRURegressor",
    "CLDNNClassifier",
    "CRNNClassifier",
    "CRNNRegressor",
    "DomainAdversarialClassifier",
    "FineTuneClassifier",
    "GLAMClassifier",
    "LDNNClassifier",
    "MLPClassifier",
    "MultiTimeScaleClassifier",
    "NeuralClassifier",
    "NeuralEstimator",
    "NeuralRegressor",
    "QuaternionCNNClassifier",
    "RHEmoTransformer",
    "SegmentAggregationClassifier",
    "SequenceCNNRegressor",
    "SequencePostProcessor",
    "UtteranceRegressor",
    "WeightedAverageFusion",
    "convolution_param_grid",
    "join_slices",
]
