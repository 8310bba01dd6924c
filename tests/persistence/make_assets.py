"""Make the models of tests/assets/models in the present format: python make_assets.py.

Files of earlier formats stay as the versions wrote them that are gone. Run this when
the format has a new number, and leave the old files where they are.
"""

from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import serkit
from serkit.augmentation import SpecAugment
from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    FrameScaler,
    LogMelSpectrogram,
    TemporalPooling,
)
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CRNNClassifier, FineTuneClassifier
from serkit.persistence import describe
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader

ASSETS = Path(__file__).parents[1] / "assets" / "models"


def main() -> None:
    """Fit small models, save them, and write what they predict beside them."""
    corpus = make_emotional_speech(n_speakers=4, n_sentences=1, random_state=0)
    X, y, speakers = corpus.audio, corpus.y, corpus.speakers
    features = make_pipeline(AudioLoader(), MFCC(n_mfcc=5), TemporalPooling())
    search = GridSearchCV(
        make_pipeline(CachedTransformer(features), StandardScaler(), SVC(kernel="linear")),
        {"svc__C": [0.1, 1.0]},
        cv=LeaveSpeakersOut(2),
        scoring=uar_scorer,
    )
    search.fit(X, y, groups=speakers)
    keep(search, "search", [clip[:2560] for clip in X[:4]], method="decision_function")
    crnn = CRNNClassifier(
        n_filters=4,
        rnn_hidden_size=4,
        hidden_layer_sizes=(8,),
        kernel_size=(3, 2),
        max_epochs=1,
        augment=SpecAugment(),
        random_state=0,
    )
    network = make_pipeline(LogMelSpectrogram(n_mels=12), FrameScaler(), crnn)
    network.fit(X, y, crnnclassifier__speakers=speakers)
    keep(network, "network", [clip[:2560] for clip in X[:4]])
    frames = network[:-1].transform(X)
    tuned = FineTuneClassifier(FrozenEstimator(network[-1]), max_epochs=1, random_state=0)
    tuned.fit(frames, y)
    keep(tuned, "fine-tuned", [x[..., :10] for x in frames[:4]])


def keep(model, name: str, X, *, method: str = "predict_proba") -> None:
    """Save a model, and what it makes of a few utterances of equal lengths."""
    file = ASSETS / f"{name}.serkit"
    serkit.save(model, file, card=False)
    named = file.rename(ASSETS / f"format-{describe(file)['format']}-{name}.serkit")
    X = np.stack(X).astype(np.float32)
    expected = getattr(model, method)(list(X))
    np.savez_compressed(
        named.with_suffix(".npz"), X=X, ragged=True, method=method, expected=expected
    )


if __name__ == "__main__":
    main()
