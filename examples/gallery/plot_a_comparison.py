"""
Pictures of a comparison
========================

What is taken for what, whether posteriors keep their word, and what more speakers would bring:
three questions that a single figure of accuracy leaves open.
"""

# %%
# Two pipelines, compared on synthetic speech
# -------------------------------------------
# Features are computed once; the speakers of a fold are in its training or in its test part.

import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import LogMelSpectrogram, TemporalPooling
from serkit.inspection import (
    ConfusionGridDisplay,
    ReliabilityDisplay,
    SpeakerCurveDisplay,
    speaker_learning_curve,
)
from serkit.model_selection import LeaveSpeakersOut
from serkit.pipeline import make_pipeline

corpus = make_emotional_speech(8, n_sentences=3, random_state=0)
features = make_pipeline(LogMelSpectrogram(n_mels=20), TemporalPooling())
X = features.fit_transform(corpus.audio)
pipelines = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
    "neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(9)),
}
result = compare(corpus, pipelines, X=X, cv=LeaveSpeakersOut(2), verbose=0)
print(result)

# %%
# What is taken for what
# ----------------------
# Every row is 100 %; the mean of the diagonal is the UAR.

ConfusionGridDisplay.from_result(result)

# %%
# Whether posteriors keep their word
# ----------------------------------
# Bars below the diagonal are of a classifier that is surer than it is right.

figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for name, ax in zip(pipelines, axes, strict=True):
    ReliabilityDisplay.from_result(result, name, n_bins=8, ax=ax)

# %%
# What more speakers would bring
# ------------------------------
# Speakers are drawn with all of their utterances, and the test speakers stay.

curve = speaker_learning_curve(
    corpus, pipelines, [1, 2, 4, 6], cv=LeaveSpeakersOut(2), n_repeats=2, X=X, verbose=0
)
SpeakerCurveDisplay.from_table(curve, chance=1 / 4)
plt.show()
