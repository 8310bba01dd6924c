import inspect
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import nn

import serkit.neural_network
from serkit.modules import UtteranceNetwork
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    MLPClassifier,
    NeuralClassifier,
)
from serkit.utils import as_ragged, is_ragged


class Corner(nn.Module):
    """Reads the first 6 bins of the first 10 frames: of fixed length."""

    min_shape = (6, 10)

    def forward(self, x):
        return x[:, 0, :6, :10].flatten(1)


class FixedClassifier(NeuralClassifier):
    """Classify utterances by their corner."""

    def _make_module(self, n_channels, n_bins, n_outputs):
        return UtteranceNetwork(Corner(), nn.Linear(60, n_outputs))


class BareClassifier(NeuralClassifier):
    def _make_module(self, n_channels, n_bins, n_outputs):
        return nn.Linear(n_bins, n_outputs)


def weights(fitted):
    return {name: value.clone() for name, value in fitted.net_.module_.state_dict().items()}


# Containers and lengths.


def test_posteriors_do_not_depend_on_the_batch(corpus, tiny):
    crnn = CRNNClassifier(n_conv_layers=2, **tiny).fit(corpus.X, corpus.y)
    batch = crnn.predict_proba(corpus.X)
    alone = np.concatenate([crnn.predict_proba([x]) for x in corpus.X])
    np.testing.assert_allclose(batch, alone, atol=1e-6)
    shuffled = np.random.default_rng(0).permutation(len(corpus.X))
    np.testing.assert_allclose(crnn.predict_proba(corpus.X[shuffled]), batch[shuffled], atol=1e-6)


def test_activations_are_ragged_for_ragged_input_only(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    equal = as_ragged(x[..., :8] for x in corpus.X)
    assert is_ragged(crnn.activations(corpus.X, "block1"))
    assert is_ragged(crnn.activations(equal, "block1"))
    numeric = crnn.activations(np.stack(list(equal)), "block1")
    assert numeric.shape == (24, 4, 2, 4)
    assert crnn.activations(corpus.X, "head").shape == (24, 2)


def test_fixed_length_is_the_longest_of_fit(corpus):
    fixed = FixedClassifier(max_epochs=1, random_state=0).fit(corpus.X, corpus.y)
    assert fixed.n_frames_ == 12
    longer = [np.concatenate([x, x, x], axis=-1) for x in corpus.X[:3]]
    with pytest.warns(UserWarning, match="utterances 0, 1, 2 longer than 12 frames.* were cut"):
        cut = fixed.predict_proba(longer)
    np.testing.assert_array_equal(cut, fixed.predict_proba([x[..., :12] for x in longer]))


def test_less_than_a_network_takes_is_padded_by_zeros(corpus):
    fixed = FixedClassifier(max_epochs=1, random_state=0).fit(corpus.X, corpus.y)
    padded = [np.pad(x, ((0, 0), (0, 0), (0, 12 - x.shape[-1]))) for x in corpus.X]
    np.testing.assert_array_equal(fixed.predict_proba(corpus.X), fixed.predict_proba(padded))
    corners = np.stack([np.pad(x, ((0, 0), (0, 2), (0, 0)))[0, :, :10].ravel() for x in padded])
    np.testing.assert_array_equal(fixed.transform(corpus.X), corners)


def test_all_utterances_may_be_shorter_than_the_network_takes(tiny):
    X = np.random.default_rng(0).normal(size=(6, 1, 4, 2))
    crnn = CRNNClassifier(n_conv_layers=2, **tiny).fit(X, [0, 1] * 3)
    assert crnn.net_.module_.min_shape[1] > 2
    assert np.isfinite(crnn.predict_proba(X)).all()
    FixedClassifier(max_epochs=1).fit(X, [0, 1] * 3).predict(X)


def test_columns_are_read_as_one_bin_with_a_warning(tiny, functionals):
    with pytest.warns(UserWarning, match='5 columns of X.*encoder="mlp"') as caught:
        crnn = CRNNClassifier(**tiny).fit(functionals.X, functionals.y)
    assert caught[0].filename == __file__
    assert (crnn.n_bins_in_, crnn.n_features_in_) == (1, 5)


# Seeds and threads.


def test_equal_seeds_make_equal_networks_in_other_processes_and_threads(
    corpus, tiny, assert_equal_fits
):
    crnn = CRNNClassifier(**tiny)
    fits = [joblib.delayed(clone(crnn).fit)(corpus.X, corpus.y, speakers=corpus.speakers)] * 2
    here = clone(crnn).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    for backend in ("loky", "threading"):
        for other in joblib.Parallel(n_jobs=2, backend=backend)(fits):
            assert_equal_fits(here, other)


def test_threads_with_other_seeds_do_not_disturb_each_other(corpus, tiny, assert_equal_fits):
    networks = [CRNNClassifier(**{**tiny, "random_state": seed}) for seed in range(4)]
    alone = [clone(network).fit(corpus.X, corpus.y) for network in networks]
    together = joblib.Parallel(n_jobs=4, backend="threading")(
        joblib.delayed(network.fit)(corpus.X, corpus.y) for network in networks
    )
    for one, other in zip(alone, together, strict=True):
        assert_equal_fits(one, other)


def test_global_state_does_not_matter_and_stays(corpus, tiny, assert_equal_fits):
    fits = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        before = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
        crnn = CRNNClassifier(**tiny)
        fits.append(crnn.fit(corpus.X, corpus.y, speakers=corpus.speakers))
        crnn.predict(corpus.X)
        after = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
    assert_equal_fits(*fits)


def test_threads_of_torch_are_set_and_put_back(corpus, tiny):
    seen = []

    def augment(x, lengths, generator):
        seen.append(torch.get_num_threads())
        return x

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        crnn = CRNNClassifier(**tiny, num_threads=1, augment=augment).fit(corpus.X, corpus.y)
        crnn.predict(corpus.X)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}


def test_other_seeds_make_other_networks(corpus, tiny):
    one, other = (
        CRNNClassifier(**{**tiny, "random_state": seed}).fit(corpus.X, corpus.y).transform(corpus.X)
        for seed in (0, 1)
    )
    assert np.abs(one - other).max() > 1e-3


# Warm start and freezing.


def test_warm_start_goes_on(corpus, tiny):
    crnn = CRNNClassifier(**tiny, warm_start=True).fit(corpus.X, corpus.y)
    first = weights(crnn)
    crnn.set_params(lr=1e-30, max_epochs=3).fit(corpus.X, corpus.y)
    assert crnn.history_["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert crnn.best_epoch_ == 4
    for name, value in crnn.net_.module_.named_parameters():
        assert torch.equal(value, first[name]), name


def test_without_warm_start_training_begins_anew(corpus, tiny, assert_equal_fits):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    again = clone(crnn).fit(corpus.X, corpus.y).freeze("block1").fit(corpus.X, corpus.y)
    assert_equal_fits(crnn, again)


def test_best_epoch_is_counted_from_the_first_fit(corpus, tiny):
    crnn = CRNNClassifier(**tiny, warm_start=True)
    crnn.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    crnn.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert crnn.best_epoch_ in (2, 3)
    assert crnn.history_["best"][crnn.best_epoch_]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["anger", "sadness"] * 12}, "classes .*sadness.* were not in the last fit"),
        ({"X": np.zeros((24, 1, 5, 8))}, "5 bins"),
    ],
)
def test_warm_start_refuses_other_classes_and_bins(corpus, tiny, change, message):
    crnn = CRNNClassifier(**tiny, warm_start=True).fit(corpus.X, corpus.y)
    with pytest.raises(ValueError, match=message):
        crnn.fit(**({"X": corpus.X, "y": corpus.y} | change))


def test_a_warm_start_that_fails_leaves_the_network_as_it_was(corpus, tiny):
    crnn = CRNNClassifier(**tiny, optimizer="sgd", warm_start=True).fit(corpus.X, corpus.y)
    before = crnn.predict_proba(corpus.X)
    with pytest.raises(FloatingPointError):
        crnn.set_params(lr=1e20).fit(corpus.X, corpus.y)
    np.testing.assert_array_equal(crnn.predict_proba(corpus.X), before)


def test_frozen_stages_stay_and_the_rest_learns(corpus, tiny):
    crnn = CRNNClassifier(**tiny, warm_start=True).fit(corpus.X, corpus.y)
    first = weights(crnn)
    crnn.freeze(["block1", "recurrence"]).fit(corpus.X, corpus.y)
    for name, value in weights(crnn).items():
        frozen = name.startswith(("encoder.blocks", "encoder.recurrence"))
        assert torch.equal(value, first[name]) == frozen, name
    crnn.freeze([]).fit(corpus.X, corpus.y)
    for name, value in weights(crnn).items():
        assert not torch.equal(value, first[name]), name


# Stages.


def test_what_is_prepared_is_what_the_network_sees(corpus, functionals, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    for x, prepared in zip(corpus.X, crnn.prepare(corpus.X), strict=True):
        np.testing.assert_array_equal(prepared, x)
    fixed = FixedClassifier(max_epochs=1, random_state=0).fit(corpus.X[2:3].repeat(2), ["a", "b"])
    with pytest.warns(UserWarning, match="were cut"):
        prepared = fixed.prepare(corpus.X)
    assert {one.shape for one in prepared} == {(1, 6, 10)}
    assert not prepared[0][:, 4:].any()
    assert not prepared[0][..., 8:].any()
    with pytest.warns(UserWarning, match="were cut"):
        expected = fixed.predict_proba(corpus.X)
    logits = fixed.net_.module_.eval()(torch.from_numpy(np.stack(prepared)))
    np.testing.assert_allclose(logits.softmax(dim=1).detach(), expected, atol=1e-6)
    mlp = MLPClassifier((3,), max_epochs=1).fit(functionals.X, functionals.y)
    np.testing.assert_array_equal(mlp.prepare(functionals.X), functionals.X.astype(np.float32))


def test_activations_are_those_of_a_manual_forward(corpus, tiny):
    crnn = CRNNClassifier(n_conv_layers=2, **tiny).fit(corpus.X, corpus.y)
    assert crnn.stages_ == ["block1", "block2", "recurrence", "projection", "pooling", "head"]
    stages = crnn.net_.module_.eval().stages
    activations = {name: crnn.activations(corpus.X, name) for name in stages}
    for row in (0, 7, 23):
        values = torch.from_numpy(corpus.X[row][None])
        with torch.no_grad():
            for name, stage in stages.items():
                output = stage(values) if name == "head" else stage(values, None)
                values = output[0] if isinstance(output, tuple) else output
                # Frames are (n_channels, n_bins, n_frames) everywhere.
                expected = values[0].T[None] if values.ndim == 3 else values[0]
                np.testing.assert_allclose(activations[name][row], expected, atol=1e-6)


def test_transform_is_what_the_head_reads(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    embedding = crnn.transform(corpus.X)
    assert embedding.shape == (24, 16)
    np.testing.assert_array_equal(embedding, crnn.activations(corpus.X, "pooling"))
    with torch.no_grad():
        logits = crnn.net_.module_.head.eval()(torch.from_numpy(embedding))
    np.testing.assert_allclose(crnn.predict_proba(corpus.X), logits.softmax(1), atol=1e-6)


def test_embedding_has_names(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y).set_output(transform="pandas")
    embedding = crnn.transform(corpus.X)
    assert list(embedding.columns) == [f"crnnclassifier{k}" for k in range(16)]
    assert list(crnn.get_feature_names_out()) == list(embedding.columns)


@pytest.mark.parametrize("method", ["activations", "freeze"])
def test_unknown_stages_are_named_with_the_known(corpus, tiny, method):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    arguments = (corpus.X, "block7") if method == "activations" else ("block7",)
    with pytest.raises(ValueError, match="no stage 'block7'.*'block1', 'recurrence'"):
        getattr(crnn, method)(*arguments)


def test_what_needs_a_network_says_that_there_is_none(corpus, tiny):
    crnn, X = CRNNClassifier(**tiny), corpus.X
    calls = [
        lambda: crnn.predict(X),
        lambda: crnn.predict_proba(X),
        lambda: crnn.transform(X),
        lambda: crnn.activations(X, "block1"),
        lambda: crnn.freeze("block1"),
        lambda: crnn.freeze([]),
        lambda: crnn.stages_,
        lambda: crnn.get_feature_names_out(),
        lambda: CRNNRegressor().predict(X),
    ]
    for call in calls:
        with pytest.raises(NotFittedError):
            call()


def test_a_network_without_stages_is_refused_before_training(corpus):
    with pytest.raises(TypeError, match=r"_make_module must return.*UtteranceNetwork"):
        BareClassifier().fit(corpus.X, corpus.y)


def test_docstrings_are_complete():
    for name in serkit.neural_network.__all__:
        found = getattr(serkit.neural_network, name)
        text = inspect.getdoc(found)
        assert "%(" not in text
        if hasattr(found, "freeze"):  # other estimators have networks inside
            assert "warm_start : bool" in text
            assert ("class_weight : " in text) == (name.endswith("Classifier"))
    assert BareClassifier.__doc__ is None


# What goes wrong.


def with_nan(x):
    x = x.copy()
    x[0, 0, 0] = np.nan
    return x


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (X, ["joy"] * 24), ValueError, "two classes or more; y has 1 class, 'joy'"),
        (lambda X, y: (X, None), ValueError, "requires y"),
        (lambda X, y: (as_ragged([*X[:5], with_nan(X[5]), *X[6:]]), y), ValueError, "utterance 5"),
        (lambda X, y: (as_ragged([*X[:5], X[5][:, :2], *X[6:]]), y), ValueError, "utterance 5 .*2"),
        (lambda X, y: (["03a01Fa.wav"] * 24, y), TypeError, "utterance 0 is a path"),
        (lambda X, y: (X, y[:-1]), ValueError, "inconsistent"),
        (lambda X, y: (X[:1], y[:1]), ValueError, "1 class"),
    ],
)
def test_bad_input_is_named(corpus, tiny, change, error, message):
    with pytest.raises(error, match=message):
        CRNNClassifier(**tiny).fit(*change(corpus.X, corpus.y))


def test_other_bins_than_in_fit_are_named(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    with pytest.raises(ValueError, match="utterance 1 has 1 channels and 3 bins, but 1 and 4"):
        crnn.predict([corpus.X[0], corpus.X[1][:, :3]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"optimizer": "adamax"}, "'optimizer' parameter.*'adam'"),
        ({"lr": 0.0}, "'lr' parameter"),
        ({"validation": 1.0}, "'validation' parameter"),
        ({"n_conv_layers": 3, "pool_size": (2, 2), "kernel_size": 1}, "leave nothing of 4 bins"),
    ],
)
def test_bad_parameters_are_named(corpus, tiny, parameters, message):
    with pytest.raises(ValueError, match=message):
        CRNNClassifier(**(tiny | parameters)).fit(corpus.X, corpus.y)


def test_divergence_names_the_epoch_and_leaves_no_network(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    crnn.set_params(optimizer="sgd", lr=1e20, max_epochs=9)
    with pytest.raises(FloatingPointError, match=r"diverged in epoch \d.*learning rate"):
        crnn.fit(corpus.X, corpus.y)
    with pytest.raises(NotFittedError):
        crnn.predict(corpus.X)


def test_optimizers_may_be_functions(corpus, tiny):
    given = {}

    def optimizer(parameters, **options):
        given.update(options)
        return torch.optim.SGD(parameters, **options)

    crnn = CRNNClassifier(**tiny, optimizer=optimizer, weight_decay=0.1)
    crnn.fit(corpus.X, corpus.y)
    assert given == {"lr": 1e-3, "weight_decay": 0.1}


# Pickles, data frames, histories.


@pytest.mark.parametrize("cls", [CRNNClassifier, CRNNRegressor])
def test_pickles_predict_the_same_and_are_small(corpus, tiny, cls):
    larger = {**tiny, "rnn_hidden_size": 64, "n_filters": 16}
    fitted = cls(**larger).fit(corpus.X, np.arange(24) % 2, speakers=corpus.speakers)
    data = pickle.dumps(fitted)
    n_weights = sum(value.numel() for value in fitted.net_.module_.state_dict().values())
    assert len(data) < 4 * 4 * n_weights
    np.testing.assert_array_equal(pickle.loads(data).predict(corpus.X), fitted.predict(corpus.X))


def test_data_frames_keep_their_names(functionals):
    frame = pd.DataFrame(functionals.X, columns=list("uvwxy"))
    mlp = MLPClassifier((4,), max_epochs=1).fit(frame, functionals.y)
    assert list(mlp.feature_names_in_) == list("uvwxy")
    with pytest.raises(ValueError, match="feature names"):
        mlp.predict(frame[list("vuwxy")])


def test_history_has_a_row_per_epoch(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    history = crnn.history_
    assert list(history["epoch"]) == [0, 1]
    assert set(history) == {"epoch", "train_loss", "valid_loss", "valid_uar", "best", "lr"}


def test_a_validation_loss_that_is_no_number_leaves_the_last_epoch(corpus, tiny):
    """Squares of targets that large overflow single precision; those trained on do not."""
    y = np.linspace(-1, 1, 24)
    y[corpus.speakers == "d"] = 1e30
    training = tiny | {"validation": Holdout("d")}
    crnn = CRNNRegressor(**training).fit(corpus.X, y, speakers=corpus.speakers)
    assert crnn.best_epoch_ == 1
    assert np.isfinite(crnn.predict(corpus.X)).all()


class Holdout:
    """Hold one speaker out."""

    def __init__(self, speaker):
        self.speaker = speaker

    def split(self, X, y=None, groups=None):
        yield np.flatnonzero(groups != self.speaker), np.flatnonzero(groups == self.speaker)


def test_nothing_is_warned_of_in_a_usual_fit(corpus, tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CRNNClassifier(**tiny).fit(corpus.X, corpus.y, speakers=corpus.speakers).predict(corpus.X)
