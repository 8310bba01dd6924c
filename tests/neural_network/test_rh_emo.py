"""RHEmoTransformer: two stages, labels that are missing, maps of each utterance by itself."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import serkit
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import QuaternionCNNClassifier, RHEmoTransformer
from serkit.utils import as_ragged

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


def test_two_stages_have_their_own_settings():
    pairs = {"lr": (1e-2, 1e-4), "max_epochs": (3, 2), "weight_decay": (0.0, 0.1)}
    rh_emo = RHEmoTransformer(**SMALL | pairs).fit(spectrograms(), LABELS)
    assert rh_emo.history_["stage"].tolist() == [1, 1, 1, 2, 2]
    assert rh_emo.history_["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert rh_emo.history_["lr"].tolist() == [1e-2] * 3 + [1e-4] * 2
    told = rh_emo.history_[["emotion_loss", "vad_loss"]].notna()
    assert told.all(axis=1).tolist() == [False] * 3 + [True] * 2
    assert rh_emo.best_epoch_ == 4


def test_each_stage_stops_when_its_own_patience_is_at_an_end():
    settings = {"lr": 1e-12, "max_epochs": 9, "patience": (3, 1)}
    validation = LeaveSpeakersOut()
    rh_emo = RHEmoTransformer(**SMALL | settings, validation=validation, bn_blocks=())
    # Steps that are too small for single precision: no epoch is better than the first.
    history = rh_emo.fit(spectrograms(), LABELS, speakers=SPEAKERS).history_
    assert history["stage"].value_counts().to_dict() == {1: 4, 2: 2}


def test_the_first_stage_knows_no_labels_and_the_second_does():
    X, other = spectrograms(), np.roll(EMOTION, 1)
    first = RHEmoTransformer(**SMALL | {"lr": (0.01, 1e-12)}, validation=None)
    second = RHEmoTransformer(**SMALL | {"lr": (0.01, 0.01)}, validation=None)
    maps = [clone(first).fit(X, y).transform(X) for y in (EMOTION, other)]
    # Of the second stage only the statistics of the batches are left, which no label enters.
    assert_allclose(maps[0], maps[1], atol=1e-6)
    maps = [clone(second).fit(X, y).transform(X) for y in (EMOTION, other)]
    assert np.abs(maps[0] - maps[1]).max() > 1e-4


def test_validation_speakers_are_not_learnt_from():
    X = spectrograms()
    validation = LeaveSpeakersOut()
    settings = SMALL | {"max_epochs": 1}
    rh_emo = RHEmoTransformer(**settings, validation=validation).fit(X, LABELS, speakers=SPEAKERS)
    X = X.copy()
    X[SPEAKERS == "a"] *= 100
    again = clone(rh_emo).fit(X, LABELS, speakers=SPEAKERS)
    assert again.scale_ == rh_emo.scale_
    for name, value in weights(rh_emo).items():
        assert_array_equal(value, weights(again)[name])
    assert again.history_["valid_loss"].tolist() != rh_emo.history_["valid_loss"].tolist()


def test_speakers_give_validation_losses_to_both_stages():
    history = RHEmoTransformer(**SMALL).fit(spectrograms(), LABELS, speakers=SPEAKERS).history_
    assert history["valid_loss"].notna().all()
    first, second = history[:2], history[2:]
    assert_allclose(first["reconstruction_loss"], first["train_loss"])
    assert_allclose(first["valid_reconstruction_loss"], first["valid_loss"])
    assert (first["train_loss"] != first["valid_loss"]).all()
    assert second[["emotion_loss", "valid_emotion_loss", "valid_vad_loss"]].notna().all(axis=None)


def test_heads_go_unless_they_are_kept():
    rh_emo = RHEmoTransformer(**SMALL).fit(spectrograms(), LABELS)
    assert sum(weight.numel() for weight in rh_emo.net_.module_.parameters()) == 256 + 130
    assert rh_emo.stages_[-1] == "decoder"
    assert rh_emo.heads_ == ()
    assert not hasattr(rh_emo, "label_probabilities")
    kept = clone(rh_emo).set_params(keep_heads=True).fit(spectrograms(), LABELS)
    assert kept.stages_[-1] == "heads"
    assert_array_equal(kept.transform(spectrograms()), rh_emo.transform(spectrograms()))


def test_maps_depend_on_their_utterance_alone():
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL).fit(X, LABELS)
    maps = rh_emo.transform(X)
    assert maps.shape == (N, 4, 4, 2)
    assert maps.dtype == np.float32
    assert_array_equal(rh_emo.transform(X[5:6])[0], maps[5])
    assert_array_equal(rh_emo.transform(X[::-1]), maps[::-1])
    ragged = rh_emo.transform(as_ragged(X))
    assert ragged.dtype == object
    assert_array_equal(np.stack(ragged), maps)


def test_magnitudes_are_scaled_by_those_of_training_and_clipped():
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL).fit(X)
    assert rh_emo.scale_ == X[:, :, :8].max()
    loud = np.minimum(X * 1000, rh_emo.scale_)
    assert_array_equal(rh_emo.transform(X * 1000), rh_emo.transform(loud))
    louder = clone(rh_emo).fit(X * 8)
    assert_allclose(louder.transform(X * 8), rh_emo.transform(X), rtol=1e-6)


def test_short_utterances_are_padded_and_the_nyquist_bin_is_dropped():
    X = spectrograms()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rh_emo = RHEmoTransformer(**SMALL).fit(X)
        maps = rh_emo.transform(X)
        other = X.copy()
        other[:, :, 8] = 7.0
        assert_array_equal(rh_emo.transform(other), maps)
        padded = np.pad(X, ((0, 0), (0, 0), (0, 0), (0, 2)))
        assert_array_equal(rh_emo.transform(padded), maps)


def test_long_utterances_are_cut_with_a_warning():
    X = spectrograms(n_frames=20)
    rh_emo = RHEmoTransformer(**SMALL).fit(X[..., :16])
    with pytest.warns(UserWarning, match="utterance 1 longer than n_frames=16 was cut"):
        maps = rh_emo.transform([X[0, ..., :16], X[1]])
    assert_array_equal(np.stack(maps), rh_emo.transform(X[:2, ..., :16]))


def test_missing_bins_are_zeros_with_a_warning():
    X = spectrograms(n_bins=5)
    with pytest.warns(UserWarning, match="X has 5 bins.*n_bins=6 makes"):
        rh_emo = RHEmoTransformer(**SMALL).fit(X)
    filled = np.pad(X, ((0, 0), (0, 0), (0, 3), (0, 0)))
    assert_array_equal(rh_emo.transform(X), clone(rh_emo).fit(filled).transform(filled))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (spectrograms(n_bins=10), r"X has 10 bins, .*n_fft=16\)"),
        (np.log(spectrograms()), "Negative values in data .*not their logarithm"),
        (np.repeat(spectrograms(), 3, axis=1), "one channel; X has 3"),
        (np.zeros_like(spectrograms()), "silent"),
        (spectrograms()[:1], "1 sample"),
    ],
    ids=["bins", "negative", "channels", "silent", "one"],
)
def test_other_input_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        RHEmoTransformer(**SMALL).fit(X)


@pytest.mark.parametrize(
    ("parameters", "labels", "message"),
    [
        ({"decoder": None}, None, "pass y"),
        ({"lr": (0.1, 0.2, 0.3)}, None, "one for each of the two stages"),
        ({"lr": (0.1, -0.2)}, LABELS, "'lr' parameter"),
        ({"n_bins": 8, "n_frames": 20}, None, "multiples of 2 and of 8"),
        ({}, pd.DataFrame({"mood": EMOTION}), r"columns \['mood'\]"),
        ({}, EMOTION[:5], "inconsistent numbers of samples"),
        ({}, ["joy", *[None] * (N - 1)], "stage 2 .*that have labels"),
        ({}, np.linspace(0, 1, N), "continuous"),
        ({}, LABELS.replace({"arousal": 1.0}, np.inf), "'arousal' of y is infinite in row 0"),
        ({}, np.where(EMOTION == "joy", "arousal", "joy"), "an emotion is called"),
    ],
    ids=[
        *("no labels", "triple", "rate", "frames", "columns", "length", "one label", "numbers"),
        *("infinite", "name"),
    ],
)
def test_what_cannot_be_trained_is_refused(parameters, labels, message):
    with pytest.raises(ValueError, match=message):
        RHEmoTransformer(**SMALL | parameters).fit(spectrograms(), labels)


def test_patience_without_validation_utterances_is_warned_of():
    X, y = spectrograms(), np.where(SPEAKERS == "a", None, EMOTION)
    rh_emo = RHEmoTransformer(**SMALL | {"patience": (None, 5)})
    with pytest.warns(UserWarning, match="patience=5 has no effect in stage 2"):
        rh_emo.fit(X, LABELS)
    rh_emo.set_params(validation=LeaveSpeakersOut())  # the first of which leaves out speaker a
    with pytest.warns(UserWarning, match="stage 2 without validation utterances that have labels"):
        rh_emo.fit(X, y, speakers=SPEAKERS)


def test_the_decoder_learns_to_make_spectrograms_again():
    X = spectrograms(n_bins=8, n_frames=16)
    rh_emo = RHEmoTransformer(**SMALL | {"lr": 0.05, "max_epochs": 30}).fit(X)
    made = rh_emo.inverse_transform(rh_emo.transform(X))
    assert made.shape == X.shape
    assert made.dtype == np.float32
    assert np.square(made - X).mean() < 0.7 * X.var()
    ragged = rh_emo.inverse_transform(as_ragged(rh_emo.transform(X)))
    assert_array_equal(np.stack(ragged), made)
    with torch.inference_mode():
        x = torch.from_numpy(np.minimum(X / rh_emo.scale_, 1))
        expected = rh_emo.net_.module_.eval()(x).reconstruction.numpy() * rh_emo.scale_
    assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_maps_of_another_shape_are_refused():
    rh_emo = RHEmoTransformer(**SMALL).fit(spectrograms())
    with pytest.raises(ValueError, match="utterance 1: the shape is .4, 4, 3."):
        rh_emo.inverse_transform([np.zeros((4, 4, 2)), np.zeros((4, 4, 3))])
    assert rh_emo.inverse_transform(np.zeros((0, 4, 4, 2))).shape == (0, 1, 8, 16)
    assert not hasattr(RHEmoTransformer(decoder=None), "inverse_transform")


@pytest.mark.parametrize(
    "flags",
    [
        {"decoder": "real"},
        {"decoder": None},
        {"vad": False},
        {"discrete": False},
        {"vad": False, "discrete": False},
        {"bn_blocks": (1,)},
        {"mixed_precision": True},
    ],
    ids=lambda flags: "-".join(f"{name}={value}" for name, value in flags.items()),
)
def test_ablations_are_trained_saved_and_loaded(flags, tmp_path):
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL, **flags, keep_heads=True).fit(X, LABELS)
    stages = [1] * 2 if rh_emo.decoder else []
    stages += [2] * 2 if rh_emo.heads_ else []
    assert rh_emo.history_["stage"].tolist() == stages
    serkit.save(rh_emo, tmp_path / "rh_emo.safetensors")
    loaded = serkit.load(tmp_path / "rh_emo.safetensors")
    assert_array_equal(loaded.transform(X), rh_emo.transform(X))
    if rh_emo.heads_:
        pd.testing.assert_frame_equal(
            loaded.label_probabilities(X), rh_emo.label_probabilities(X), check_exact=True
        )


def test_without_heads_a_file_is_small_and_gives_the_same_maps(tmp_path):
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL | {"hidden_size": 512}).fit(X, LABELS)
    file = tmp_path / "rh_emo.safetensors"
    serkit.save(rh_emo, file)
    assert file.stat().st_size < 20_000
    loaded = serkit.load(file)
    maps = rh_emo.transform(X)
    assert_array_equal(loaded.transform(X), maps)
    assert_array_equal(loaded.inverse_transform(maps), rh_emo.inverse_transform(maps))
    rh_emo.decoder = "real"
    with pytest.raises(ValueError, match="another network"):
        serkit.save(rh_emo, file)


def test_warm_start_goes_on_from_the_autoencoder():
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL, warm_start=True).fit(X)
    before = weights(rh_emo)
    rh_emo.set_params(lr=1e-12, max_epochs=1).fit(X * 2, LABELS)
    assert rh_emo.history_["stage"].tolist() == [1, 1, 1, 2]
    assert rh_emo.history_["epoch"].tolist() == [0, 1, 2, 3]
    assert rh_emo.scale_ == X[:, :, :8].max()
    for name, value in weights(rh_emo).items():
        if "running" not in name and "num_batches" not in name:
            assert_allclose(value, before[name], atol=1e-6)


def test_a_warm_start_that_fails_changes_nothing():
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL, warm_start=True, keep_heads=True).fit(X, LABELS)
    before = rh_emo.label_probabilities(X)
    with pytest.raises(ValueError, match="one for each"):
        rh_emo.set_params(lr=(1, 2, 3)).fit(X, np.where(EMOTION == "joy", "calm", "fear"))
    assert rh_emo.classes_.tolist() == ["anger", "joy"]
    pd.testing.assert_frame_equal(rh_emo.label_probabilities(X), before)


@pytest.mark.parametrize(
    "changed",
    [{"n_bins": 10}, {"n_frames": 24}, {"decoder": "real"}, {"decoder": None}, {"bn_blocks": [1]}],
    ids=["bins", "frames", "real", "none", "normalisation"],
)
def test_what_was_fitted_does_not_change_with_parameters(changed, tmp_path):
    X = spectrograms(n_frames=16)
    rh_emo = RHEmoTransformer(**SMALL, warm_start=True).fit(X)
    maps = rh_emo.transform(X)
    spectrum = rh_emo.inverse_transform(maps)
    rh_emo.set_params(**changed)
    assert_array_equal(rh_emo.transform(X), maps)
    assert_array_equal(rh_emo.inverse_transform(maps), spectrum)
    with pytest.raises(ValueError, match="another network"):
        serkit.save(rh_emo, tmp_path / "rh_emo.safetensors")
    with pytest.raises(ValueError, match=f"^{next(iter(changed))}=.* was fitted with"):
        rh_emo.fit(X)


def test_frozen_stages_stay():
    rh_emo = RHEmoTransformer(**SMALL, warm_start=True).fit(spectrograms())
    before = weights(rh_emo)
    rh_emo.freeze(["convolution1", "convolution2", "convolution3"])
    after = weights(rh_emo.fit(spectrograms()[::-1].copy(), LABELS))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("decoder") for name in changed)


def test_frozen_before_a_network_of_quaternions():
    X = spectrograms()
    rh_emo = RHEmoTransformer(**SMALL).fit(X, LABELS)
    before = weights(rh_emo)
    network = QuaternionCNNClassifier(
        "alexnet", width=1 / 16, adaptive_pool=1, max_epochs=1, patience=None, random_state=0
    )
    pipeline = make_pipeline(FrozenEstimator(rh_emo), network).fit(X, EMOTION)
    assert pipeline.predict(X).shape == (N,)
    assert pipeline[-1].n_channels_in_ == 4
    for name, value in weights(rh_emo).items():
        assert_array_equal(value, before[name])


def test_every_fold_fits_it_anew():
    X = spectrograms() * np.arange(1, N + 1, dtype=np.float32)[:, None, None, None]
    pipeline = make_pipeline(
        RHEmoTransformer(**SMALL | {"max_epochs": 1}).set_output(transform="pandas"),
        FunctionTransformer(lambda maps: maps.reshape(len(maps), -1)),
        LogisticRegression(),
    )
    cv = LeaveSpeakersOut()
    found = cross_validate(
        pipeline, X, EMOTION, groups=SPEAKERS, cv=cv, return_estimator=True, error_score="raise"
    )
    scales = [fitted[0].scale_ for fitted in found["estimator"]]
    splits = cv.split(X, EMOTION, SPEAKERS)
    assert scales == [pytest.approx(X[train][:, :, :8].max()) for train, _ in splits]
    assert len(set(scales)) > 1
