"""
What the parts of a network know
================================

A network reads frames with their context by convolutions, then an LSTM, then a head. Huang and
Narayanan (2017) asked what each of these modules adds: they trained a fresh classifier on what a
module makes of utterances, and tested it on other speakers. Here the same is done on synthetic
speech, and for the question who speaks.
"""

# %%
# A network
# ---------
# Eight synthetic speakers, of whom two are left to test on.

import matplotlib.pyplot as plt
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import FrameScaler, LogMelSpectrogram
from serkit.inspection import (
    EmbeddingDisplay,
    LDADisplay,
    module_contributions,
    module_probe,
    speaker_probe,
)
from serkit.model_selection import SpeakerHoldout
from serkit.neural_network import CLDNNClassifier
from serkit.pipeline import make_pipeline

corpus = make_emotional_speech(8, n_sentences=3, random_state=0)
holdout = SpeakerHoldout(2, random_state=0)
rows, tested = next(holdout.split(corpus.audio, corpus.y, corpus.speakers))
X, y, speakers = corpus.audio[rows], corpus.y[rows], corpus.speakers[rows]

cldnn = CLDNNClassifier(
    "fst",
    n_filters=8,
    lstm_hidden_size=16,
    hidden_layer_sizes=(16,),
    lr=0.01,
    max_epochs=20,
    patience=None,
    validation=None,
    random_state=0,
)
frames = LogMelSpectrogram(n_mels=40, n_fft=512, hop_length=320)
network = make_pipeline(frames, FrameScaler(), cldnn).fit(X, y)
print(cldnn.stages_)

# %%
# What is known of the emotion
# ----------------------------
# A probe is trained on every module. The modules of the paper have names of their own; an SVM
# without a search stands in for that of the paper, which is the default and takes longer.

modules = {"Raw": "input", "CNN": "context", "BLSTM": "recurrence", "MLP": "output"}
table = module_probe(
    network,
    X,
    y,
    stages=modules,
    probe=SVC(class_weight="balanced"),
    X_test=corpus.audio[tested],
    y_test=corpus.y[tested],
)
print(table[["stage", "n_values", "UAR", "WA"]].round(3))
print(module_contributions(table).round(3))

# %%
# What is known of the speaker
# ----------------------------
# The frames tell the speakers apart nearly without an error, the posteriors hardly better than
# guessing does.

known = speaker_probe(network, X, speakers, stages=modules, cv=4)
print(known.round(3))

# %%
# Pictures of it
# --------------
# The number over a panel is the inertia within classes over that between them. From the input to
# the LSTM it falls for emotions, which gather, and rises for speakers, who scatter.

LDADisplay.from_estimator(network, X, {"emotion": y, "speaker": speakers}, stages=modules)

# %%
# An embedding that knows of no classes tells the same, once by emotion and once by speaker.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
display = EmbeddingDisplay.from_estimator(
    network, X, y, speakers=speakers, perplexity=20, random_state=0, ax=axes[0], name="emotions"
)
display.plot(axes[1], color_by="speaker", name="speakers")
plt.show()
