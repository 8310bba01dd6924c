"""
SVM versus deep
===============

Is a network worth it? A linear SVM on functionals, a convolutional and recurrent network on frames
(CRNN), and the same network trained not to know who speaks (DAT): on the same speakers, with a test
that says whether the difference may be chance, and with a look at what the networks know.

The speech is made up, and the networks are small, so that this page runs in a minute. Its scores
say nothing of real emotion; for those, put
``load_emodb("path/to/emodb")`` in the place of the corpus.
"""

# %%
# Features, once
# --------------
# Everything is computed once per utterance, before the folds: nothing of it is learnt, so nothing
# can leak.

import matplotlib.pyplot as plt
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import MFCC, FrameScaler, TemporalPooling
from serkit.inspection import ConfusionGridDisplay, speaker_probe
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CRNNClassifier, DomainAdversarialClassifier
from serkit.pipeline import make_pipeline

corpus = make_emotional_speech(8, n_sentences=3, random_state=0)
frames = MFCC(n_mfcc=20, n_fft=1024, hop_length=512).fit_transform(corpus.audio)
print(corpus.describe())

# %%
# Three systems
# -------------
# Networks get the speakers from ``compare``, hold a fifth of them out and keep the epoch that is
# best on these.

size = {"n_filters": 8, "rnn_hidden_size": 16}
training = {"lr": 0.005, "max_epochs": 12, "random_state": 0}
systems = {
    "SVM": make_pipeline(TemporalPooling(), StandardScaler(), SVC(kernel="linear", C=0.1)),
    "CRNN": make_pipeline(FrameScaler(), CRNNClassifier(**size, **training)),
    "DAT": make_pipeline(FrameScaler(), DomainAdversarialClassifier(gamma=2.5, **size, **training)),
}
result = compare(corpus, systems, X=frames, cv=LeaveSpeakersOut(2), verbose=0)
print(result.table()[["UAR", "UAR low", "UAR high", "WA"]].mul(100).round(1))

# %%
# Which differences are real
# --------------------------
# Speakers are the unit: eight of them, however many utterances they have said.

tests = result.paired_tests("UAR")
print(tests.to_string())

# %%
# What is taken for what
# ----------------------

ConfusionGridDisplay.from_result(result)

# %%
# Whether the speaker is forgotten
# --------------------------------
# A fresh classifier is trained to tell the speakers by the embedding of a network, on other
# utterances of them. Only if it fails has the training against the speakers worked.

names = "CRNN", "DAT"
known = {}
for name in names:
    network = systems[name]
    step = network.steps[-1][0]
    network.fit(frames, corpus.y, **{f"{step}__speakers": corpus.speakers})
    known[name] = speaker_probe(network, frames, corpus.speakers, stages=["pooling"], cv=3)
    print(name, known[name].round(3).to_string(index=False), sep="\n")

figure, ax = plt.subplots(figsize=(4.5, 3), layout="constrained")
ax.bar(names, [known[name]["accuracy"].iloc[0] for name in names], color=["#0072B2", "#E69F00"])
ax.axhline(1 / 8, color="#555555", linestyle="--", label="guessing")
ax.set(ylabel="speakers recognised", ylim=(0, 1))
ax.legend(frameon=False)
plt.show()
