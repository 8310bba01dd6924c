"""How a network is trained: data, objectives, the skorch net, callbacks."""

from serkit.training._anti_transfer import AntiTransferObjective
from serkit.training._callbacks import (
    BestEpoch,
    EpochSummary,
    ExponentialDecay,
    Mixup,
    ProgressBar,
)
from serkit.training._checkpoint import Checkpoint
from serkit.training._data import BatchLoader, UtteranceData
from serkit.training._game import Batch, GameStep, play
from serkit.training._net import OPTIMIZERS, UtteranceNet
from serkit.training._objectives import (
    ClassificationObjective,
    ConcordanceObjective,
    DomainAdversarialObjective,
    RegressionObjective,
)
from serkit.training._session import choose_device, torch_session

__all__ = [
    "OPTIMIZERS",
    "AntiTransferObjective",
    "Batch",
    "BatchLoader",
    "BestEpoch",
    "Checkpoint",
    "ClassificationObjective",
    "ConcordanceObjective",
    "DomainAdversarialObjective",
    "EpochSummary",
    "ExponentialDecay",
    "GameStep",
    "Mixup",
    "ProgressBar",
    "RegressionObjective",
    "UtteranceData",
    "UtteranceNet",
    "choose_device",
    "play",
    "torch_session",
]
