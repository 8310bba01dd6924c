"""Neural networks as scikit-learn estimators."""

from serkit.neural_network._acrnn import ACRNNClassifier
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
from serkit.neural_network._regressor import NeuralRegressor
from serkit.neural_network._segment_aggregation import SegmentAggregationClassifier

__all__ = [
    "ACRNNClassifier",
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
    "SegmentAggregationClassifier",
    "convolution_param_grid",
]
