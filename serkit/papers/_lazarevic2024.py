"""Lazarević (2024): ACRNN and GLAM, within a corpus and from one to another."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from serkit.datasets import Corpus
from serkit.feature_extraction import MFCC, Deltas, FrameScaler, LogMelSpectrogram
from serkit.neural_network import ACRNNClassifier, GLAMClassifier, SegmentAggregationClassifier
from serkit.papers._cross_corpus import CrossCorpus
from serkit.papers._experiment import FoldComparison
from serkit.papers._front_ends import LOG_MELS
from serkit.papers._paper import Paper
from serkit.papers._setting import Folds, Setting, pairs_of_speakers, pairs_out
from serkit.papers._splits import ListedFolds
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, SilenceTrimmer

__all__ = ["lazarevic2024"]

EMOTIONS = ("anger", "happiness", "neutral", "sadness")

_AS_WRITTEN: dict[str, Any] = {"preemphasis": 0.97, "mel_scale": "htk", "log": "ln"}
#: What is other than in the paper, and how tables say so.
_ACRNN: dict[str, dict[str, Any]] = {
    "smoke": {"conv_channels": (2, 2), "linear_size": 8, "lstm_hidden_size": 4},
    "bench": {"conv_channels": (16, 32), "linear_size": 128, "lstm_hidden_size": 64, "lr": 1e-3},
    # The thesis says nothing of epochs; those of the public code.
    "paper": {"max_epochs": 250},
}
_GLAM: dict[str, dict[str, Any]] = {
    "smoke": {"n_filters": 2},
    "bench": {"n_filters": 8, "preset": "reference"},
    "paper": {},
}
_NOTES = {
    "ACRNN": {"smoke": " [smoke width]", "bench": " [16 and 32 filters, lr 1e-3]"},
    "GLAM": {"smoke": " [smoke width]", "bench": " [8 filters, preset reference]"},
}
#: Of the tuning.
_TUNING: dict[str, dict[str, Any]] = {
    "smoke": {"max_epochs": 1},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {"max_epochs": 50},
}


def acrnn(scale: str, training: dict[str, Any]) -> BaseEstimator:
    """Return the ACRNN on segments of 300 frames, with deltas as channels."""
    of_thesis = scale == "paper"
    log_mel = LogMelSpectrogram(**LOG_MELS, **(_AS_WRITTEN if of_thesis else {}))
    deltas = Deltas(order=2, axis="channel", convention="htk" if of_thesis else "librosa")
    network = ACRNNClassifier(**{**training, **_ACRNN[scale]})
    segments = SegmentAggregationClassifier(network, FixedLengthSegmenter(300), aggregate="max")
    return make_pipeline(*_front_end(scale), log_mel, deltas, FrameScaler(), segments)


def glam(n_blocks: int, scale: str, training: dict[str, Any]) -> BaseEstimator:
    """Return GLAM on segments of two seconds, every 0.4 seconds."""
    mfcc = MFCC(n_mfcc=26, n_fft=2048, hop_length=512, n_mels=128)
    network = GLAMClassifier(n_blocks=n_blocks, **{**training, **_GLAM[scale]})
    segmenter = FixedLengthSegmenter(32_000, hop=6_400, tail="drop", short="repeat")
    segments = SegmentAggregationClassifier(
        make_pipeline(mfcc, network), segmenter, aggregate="mean"
    )
    return make_pipeline(*_front_end(scale), segments)


def _front_end(scale: str) -> list[BaseEstimator]:
    """Return the steps from files to speech; short of the paper without silence around it."""
    return [AudioLoader()] if scale == "paper" else [AudioLoader(), SilenceTrimmer(top_db=25)]


#: The name, whose notes it has, and how it is made at a scale.
_SYSTEMS: tuple[tuple[str, str, Callable[..., BaseEstimator]], ...] = (
    ("ACRNN", "ACRNN", acrnn),
    ("GLAM", "GLAM", partial(glam, 3)),
    ("Modified GLAM", "GLAM", partial(glam, 4)),
)


def systems(
    folds: Folds, *, validation: str | None = None
) -> dict[str, Callable[[], BaseEstimator]]:
    """Return the networks; across corpora they validate on a fifth of whatever speakers."""
    training = dict(folds.training)
    if validation is not None:
        training["validation"] = validation
    return {
        f"{name}{_NOTES[kind].get(folds.scale, '')}": partial(make, folds.scale, training)
        for name, kind, make in _SYSTEMS
    }


# Who is trained on.


def splitter(corpus: Corpus) -> Any:
    """Return the ten folds of the thesis for its corpora, elsewhere pairs of speakers."""
    if corpus.name == "iemocap":
        return _partners(_by_session(corpus))
    if corpus.name == "seac":
        return _partners(pseudo_sessions(corpus))
    return pairs_of_speakers(corpus)


def protocol(corpus: Corpus, setting: Setting) -> Folds:
    """Return the folds; of the corpora of the thesis with its emotions, of SEAC twenty speakers."""
    if corpus.name not in ("iemocap", "seac"):
        return pairs_out(corpus, setting)
    corpus = four_emotions(corpus)
    cv = splitter(corpus)
    speakers = sorted({speaker for _, test in cv.folds for speaker in test})
    corpus = corpus.select(speaker=speakers)
    return Folds(corpus, setting, cv, "halves of sessions, the other half validates, folds")


def four_emotions(corpus: Corpus) -> Corpus:
    """Return the utterances of the four emotions of the thesis, excitement as happiness."""
    labels = {emotion: emotion for emotion in EMOTIONS} | {"excitement": "happiness"}
    return corpus.map_labels(labels, drop_unmapped=True)


def _by_session(corpus: Corpus) -> list[list[tuple[str, ...]]]:
    """Return the two speakers of every session, each for itself."""
    pairs = corpus.table.groupby("session")["speaker"].unique()
    return [[(speaker,) for speaker in sorted(pair)] for pair in pairs]


def pseudo_sessions(
    corpus: Corpus, *, n_sessions: int = 5, random_state: int = 0
) -> list[list[tuple[str, ...]]]:
    """Draw two women and two men for every session, in two pairs that take turns.

    Parameters
    ----------
    corpus : Corpus
        With genders.
    n_sessions : int, default=5
        How many.
    random_state : int, default=0
        Seed.

    Returns
    -------
    sessions : list of list of tuple of str
        Of every session two pairs of a woman and a man.

    Raises
    ------
    ValueError
        If there are too few of either.
    """
    rng = np.random.RandomState(random_state)
    speakers = corpus.table[["speaker", "gender"]].drop_duplicates().sort_values("speaker")
    drawn = {}
    for gender in ("female", "male"):
        names = speakers.loc[speakers["gender"] == gender, "speaker"].to_numpy()
        if len(names) < 2 * n_sessions:
            raise ValueError(
                f"{corpus.name or 'the corpus'} has {len(names)} {gender} speakers, and "
                f"{2 * n_sessions} are drawn, two for each of {n_sessions} sessions"
            )
        drawn[gender] = rng.choice(names, 2 * n_sessions, replace=False).tolist()
    pairs: list[tuple[str, ...]] = list(zip(drawn["female"], drawn["male"], strict=True))
    return [pairs[2 * k : 2 * k + 2] for k in range(n_sessions)]


def _partners(sessions: list[list[tuple[str, ...]]]) -> ListedFolds:
    """Return the folds that test one half of a session and validate on the other."""
    halves = [(one, other) for session in sessions for one, other in (session, session[::-1])]
    return ListedFolds(halves)


lazarevic2024 = Paper(
    "lazarevic2024",
    'D. Lazarević, "An evaluation of speech emotion recognition systems based on transformer and '
    'long-short term memory architectures", University of Novi Sad, 2024',
    [
        FoldComparison(
            "in-corpus",
            "ACRNN, GLAM and Modified GLAM on the folds of one corpus",
            "Sections 5.1.1, 5.1.2, 5.2.1, 5.2.2 and 5.3.1",
            ("iemocap", "seac"),
            protocol=protocol,
            systems=systems,
        ),
        CrossCorpus(
            "cross-corpus",
            "The same trained on another corpus, as they are and with the last stages tuned",
            "Sections 5.1.3, 5.1.4, 5.2.3, 5.2.4 and 5.3.2",
            ("iemocap", "seac"),
            protocol=protocol,
            systems=partial(systems, validation="auto"),
            prepare=four_emotions,
            fine_tune=_TUNING,
        ),
    ],
    folds=splitter,
)
