"""Neural networks as scikit-learn estimators."""

from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._crnn import CRNNClassifier, CRNNRegressor
from serkit.neural_network._domain_adversarial import DomainAdversarialClassifier
from serkit.neural_network._mlp import MLPClassifier
from serkit.neural_network._regressor import NeuralRegressor

__all__ = [
    "CRNNClassifier",
    "CRNNRegressor",
    "DomainAdversarialClassifier",
    "MLPClassifier",
    "NeuralClassifier",
    "NeuralEstimator",
    "NeuralRegressor",
]
