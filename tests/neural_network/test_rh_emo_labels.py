"""RHEmoTransformer: labels in many forms, and what is learnt of them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import RHEmoTransformer

SMALL = {
    "n_bins": 8,
    "n_frames": 16,
    "hidden_size": 8,
    "max_epochs": 2,
    "patience": None,
    "batch_size": 6,
    "random_state": 0,
}
N = 24
EMOTION = np.array(["anger", "joy"])[np.arange(N) % 2]
SPEAKERS = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), N // 4)
LABELS = pd.DataFrame(
    {
        "emotion": EMOTION,
        "valence": np.where(EMOTION == "joy", 4.0, 2.0),
        "arousal": np.linspace(1, 5, N),
        "dominance": np.where(EMOTION == "joy", 2.0, 4.0),
    }
)


def spectrograms(n_bins=9, n_frames=14):
    """Return magnitudes that are great in the lower half of the bins for joy."""
    X = np.random.default_rng(0).random((N, 1, n_bins, n_frames)).astype(np.float32)
    X[EMOTION == "joy", :, : n_bins // 2] *= 4
    return X


def weights(transformer):
    state = transformer.net_.module_.state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def test_without_labels_it_ends_after_the_first_stage():
    rh_emo = RHEmoTransformer(**SMALL).fit(spectrograms())
    assert rh_emo.history_["stage"].tolist() == [1, 1]
    assert len(rh_emo.classes_) == 0
    nothing = pd.DataFrame({"emotion": [None] * N, "valence": np.nan})
    unlabelled = clone(rh_emo).fit(spectrograms(), nothing)
    assert_array_equal(unlabelled.transform(spectrograms()), rh_emo.transform(spectrograms()))


def test_rows_without_labels_are_not_in_the_second_stage():
    X, y = spectrograms(), EMOTION.astype(object)
    y[:6] = None
    settings = {"decoder": None, "max_epochs": 3}  # the second stage alone
    rh_emo = RHEmoTransformer(**SMALL | settings).fit(X, y)
    changed = X.copy()
    changed[:6] = X[:6, :, ::-1]
    again = clone(rh_emo).fit(changed, y)
    for name, value in weights(rh_emo).items():
        assert_array_equal(value, weights(again)[name])


@pytest.mark.parametrize(
    ("labels", "heads", "classes"),
    [
        (EMOTION, ("emotion",), ["anger", "joy"]),
        (list(EMOTION), ("emotion",), ["anger", "joy"]),
        (np.arange(N) % 3, ("emotion",), [0, 1, 2]),
        (LABELS, ("emotion", "valence", "arousal", "dominance"), ["anger", "joy"]),
        (LABELS[["arousal"]], ("arousal",), []),
        (
            LABELS.assign(arousal=np.nan).convert_dtypes(),
            ("emotion", "valence", "dominance"),
            ["anger", "joy"],
        ),
        (EMOTION == "joy", ("emotion",), [False, True]),
        (
            LABELS.astype({"emotion": "U8"}).to_records(index=False),
            ("emotion", "valence", "arousal", "dominance"),
            ["anger", "joy"],
        ),
    ],
    ids=["array", "list", "numbers", "frame", "arousal", "nullable", "booleans", "records"],
)
def test_labels_come_in_many_forms(labels, heads, classes):
    rh_emo = RHEmoTransformer(**SMALL, keep_heads=True).fit(spectrograms(), labels)
    assert rh_emo.heads_ == heads
    assert rh_emo.classes_.tolist() == classes
    found = rh_emo.label_probabilities(spectrograms())
    assert found.columns.tolist() == [*classes, *(name for name in heads if name != "emotion")]
    assert found.to_numpy().min() >= 0
    if classes:
        assert_allclose(found.iloc[:, : len(classes)].sum(axis=1), 1, rtol=1e-5)


def test_heads_learn_what_is_there():
    settings = {"lr": 0.02, "max_epochs": (1, 30), "dropout": 0.0, "alpha": 1.0, "beta": 1.0}
    rh_emo = RHEmoTransformer(**SMALL | settings, keep_heads=True).fit(spectrograms(), LABELS)
    found = rh_emo.label_probabilities(spectrograms())
    assert ((found["joy"] > 0.5) == (EMOTION == "joy")).mean() > 0.9
    assert ((found["valence"] > 0.5) == (EMOTION == "joy")).mean() > 0.9
    assert ((found["dominance"] > 0.5) == (EMOTION != "joy")).mean() > 0.9


def test_ratings_on_one_side_of_the_threshold_are_warned_of():
    labels = LABELS.assign(valence=np.linspace(-1, 1, N))
    with pytest.warns(
        UserWarning, match=r"valence is low .* from -1 to 1 .*threshold=2\.5"
    ) as found:
        RHEmoTransformer(**SMALL).fit(spectrograms(), labels)
    assert [warning.filename for warning in found] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RHEmoTransformer(**SMALL, vad_threshold=0).fit(spectrograms(), labels[["valence"]])
        RHEmoTransformer(**SMALL, vad=False).fit(spectrograms(), labels)


def test_what_validation_utterances_alone_have_cannot_be_learnt():
    labels = LABELS.assign(valence=LABELS["valence"].where(SPEAKERS == "a"))
    rh_emo = RHEmoTransformer(**SMALL, validation=LeaveSpeakersOut())  # of speaker a
    with pytest.raises(ValueError, match="^valence: known of validation utterances alone"):
        rh_emo.fit(spectrograms(), labels, speakers=SPEAKERS)
