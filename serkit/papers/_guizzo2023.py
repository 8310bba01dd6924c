"""Guizzo (2023): networks that generalize, by time scales, anti-transfer and quaternions."""

from serkit.papers._experiment import FoldComparison
from serkit.papers._guizzo2023_systems import (
    ablations,
    anti_transfer,
    quaternion,
    quaternion_anti_transfer,
    rh_emo_ablations,
)
from serkit.papers._guizzo2023_time_scales import residual_time_scales, time_scales
from serkit.papers._guizzo2023_usage import ScaleUsage
from serkit.papers._guizzo2023_valence import Valence
from serkit.papers._paper import Paper

__all__ = ["guizzo2023"]

_CORPORA = ("iemocap", "ravdess", "emodb", "tess")

guizzo2023 = Paper(
    "guizzo2023",
    'E. Guizzo, "Enhancing the Generalization of Convolutional Neural Networks for Speech Emotion '
    'Recognition", PhD thesis, City, University of London, 2023',
    [
        Valence(
            "valence",
            "Valence of a listener over time, by recurrent and convolutional networks",
            "chapter 3, Tables 3.1 and 3.2",
            ("omg_empathy",),
        ),
        FoldComparison(
            "time-scales",
            "Convolutions of one and of several time scales",
            "chapter 4, Table 4.1",
            _CORPORA,
            systems=time_scales,
        ),
        FoldComparison(
            "time-scales-resnet",
            "A residual network of small kernels, of one and of several time scales",
            "chapter 4, Table 4.3",
            _CORPORA,
            systems=residual_time_scales,
        ),
        ScaleUsage(
            "scale-usage",
            "Which of the time scales win, with and without training",
            "chapter 4, Table 4.2",
            _CORPORA,
        ),
        FoldComparison(
            "anti-transfer",
            "Networks kept from knowing speakers or words, or begun with such knowledge",
            "chapter 5, Table 5.4",
            _CORPORA,
            systems=anti_transfer,
        ),
        FoldComparison(
            "anti-transfer-ablations",
            "What of two networks is compared, where, and the opposite of anti-transfer",
            "chapter 5, Table 5.6, Figures 5.4 and 5.6",
            _CORPORA,
            systems=ablations,
        ),
        FoldComparison(
            "quaternion",
            "Networks of quaternions on RH-emo, and of real numbers on spectrograms",
            "chapter 6, Tables 6.1 to 6.4",
            _CORPORA,
            systems=quaternion,
        ),
        FoldComparison(
            "rh-emo-ablations",
            "Networks of quaternions on embeddings that lack something",
            "chapter 6, Figures 6.3 and 6.4",
            _CORPORA,
            systems=rh_emo_ablations,
        ),
        FoldComparison(
            "quaternion-anti-transfer",
            "Networks of quaternions kept from knowing speakers or words",
            "chapter 7, Tables 7.2 to 7.5",
            _CORPORA,
            systems=quaternion_anti_transfer,
        ),
    ],
)
