"""What a network is after save and load."""

import json
import pickle
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import sklearn
import skorch
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

import serkit
import serkit.testing
from serkit.augmentation import Compose, RandomGain
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    MLPClassifier,
)
from serkit.training import ExponentialDecay, Mixup

SPEAKERS = np.array(["ann", "bob", "cyd", "dan"] * 3)
CRNN = {"n_filters": 4, "rnn_hidden_size": 4, "hidden_layer_sizes": (8,), "max_epochs": 2}
MLP = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}
NETWORKS = {
    "crnn": CRNNClassifier(**CRNN, kernel_size=(3, 2), random_state=0),
    "two blocks": CRNNClassifier(2, **CRNN, class_weight={"calm": 2.0}, optimizer="sgd"),
    "regressor": CRNNRegressor(**CRNN),
    "adversarial": DomainAdversarialClassifier(**CRNN),
    "mlp encoder": DomainAdversarialClassifier("mlp", encoder_layer_sizes=[4], max_epochs=2),
    "mlp": MLPClassifier((4, 3), batch_norm=True, max_epochs=2, patience=1),
}


def make_data(estimator):
    """Return a few utterances of the kind that a network takes, and targets."""
    rng = np.random.default_rng(0)
    if estimator._input_kind == "functionals":
        X = rng.normal(size=(12, 5)).astype(np.float32)
    else:
        X = [rng.normal(size=(1, 9, n)).astype(np.float32) for n in rng.integers(12, 30, 12)]
    if isinstance(estimator, CRNNRegressor):
        return X, rng.normal(50, 9, size=(12, 2))
    return X, np.array(["calm", "anger", "joy"] * 4)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "network.serkit"


@pytest.fixture
def mlp():
    estimator = MLPClassifier(**MLP)
    return estimator.fit(*make_data(estimator))


@pytest.fixture(params=NETWORKS)
def fitted(request):
    estimator = clone(NETWORKS[request.param])
    X, y = make_data(estimator)
    return estimator.fit(X, y, speakers=SPEAKERS), X, y


def test_a_loaded_network_does_what_the_saved_one_did(fitted, file):
    estimator, X, y = fitted
    serkit.save(estimator, file)
    loaded = serkit.load(str(file))
    assert type(loaded) is type(estimator)
    check_is_fitted(loaded)
    for method in {"predict", "predict_proba", "transform"} & set(dir(estimator)):
        expected = getattr(estimator, method)(X)
        found = getattr(loaded, method)(X)
        assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    for stage in estimator.stages_:
        found, expected = loaded.activations(X, stage), estimator.activations(X, stage)
        assert all(map(np.array_equal, found, expected))
    assert loaded.score(X, y) == estimator.score(X, y)


def test_everything_known_survives(fitted, file):
    estimator, *_ = fitted
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert loaded.get_params() == estimator.get_params()
    assert repr(loaded) == repr(estimator)
    assert clone(loaded).get_params() == estimator.get_params()
    assert vars(loaded).keys() == vars(estimator).keys()
    pd.testing.assert_frame_equal(loaded.history_, estimator.history_)
    for name, value in vars(estimator).items():
        if name not in ("net_", "history_"):
            assert_array_equal(vars(loaded)[name], value)
    weights = estimator.net_.module_.state_dict()
    for name, value in loaded.net_.module_.state_dict().items():
        assert torch.equal(value, weights[name])
        assert value.stride() == weights[name].stride()
    X, _ = make_data(estimator)
    assert_array_equal(pickle.loads(pickle.dumps(loaded)).predict(X), estimator.predict(X))


def test_training_goes_on_as_it_would_have(fitted, file):
    estimator, X, y = fitted
    estimator.set_params(warm_start=True, random_state=1)
    estimator.freeze(estimator.stages_[0])
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    for network in (estimator, loaded):
        network.fit(X, y, speakers=SPEAKERS)
    assert_array_equal(loaded.transform(X), estimator.transform(X))
    pd.testing.assert_frame_equal(loaded.history_, estimator.history_)


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["anger", "Freude ☺", ""]),
        np.array(["a", "b", "c"], dtype="<U9"),
        np.array([3, 1, 2]),
        np.array([3, 1, 2], dtype=np.uint8),
        np.array([False, True]),
        np.array([0.0, -1.0, 2.0], dtype=np.float32),
        np.array(["anger", "joy"], dtype=object),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_labels_keep_their_type(classes, file):
    X = np.random.default_rng(0).normal(size=(12, 3))
    estimator = MLPClassifier(**MLP, class_weight=dict.fromkeys(classes, 1.5))
    estimator.fit(X, np.resize(classes, 12))
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert loaded.classes_.dtype == estimator.classes_.dtype
    assert (
        list(map(type, loaded.classes_.tolist()))
        == list(map(type, classes.tolist()))[: len(loaded.classes_)]
    )
    assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.class_weight == estimator.class_weight


def test_feature_names_and_output_container_survive(file):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 2)), columns=["pitch", "level"])
    estimator = MLPClassifier(**MLP).set_output(transform="pandas").fit(X, [0, 1] * 6)
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert loaded.feature_names_in_.dtype == object
    pd.testing.assert_frame_equal(loaded.transform(X), estimator.transform(X))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(X[["level", "pitch"]])


def test_history_keeps_missing_values(file):
    estimator = MLPClassifier(**MLP, warm_start=True)
    X, y = make_data(estimator)
    estimator.fit(X, y).fit(X, y, speakers=SPEAKERS)
    assert estimator.history_.isna().any(axis=None)
    serkit.save(estimator, file)
    pd.testing.assert_frame_equal(serkit.load(file).history_, estimator.history_)


def test_parameters_keep_their_types(file):
    options = {"hidden_layer_sizes": np.array([4, 3]), "lr": np.float64(0.01)}
    estimator = MLPClassifier(**options, max_epochs=np.int64(1), device=torch.device("cpu"))
    estimator.fit(*make_data(estimator))
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert_array_equal(loaded.hidden_layer_sizes, [4, 3])
    assert isinstance(loaded.hidden_layer_sizes, np.ndarray)
    assert (loaded.lr, type(loaded.lr), type(loaded.max_epochs)) == (0.01, np.float64, np.int64)
    assert loaded.device == "auto"


class Louder(skorch.callbacks.Callback):
    """A callback that no file can name."""


def test_what_matters_for_training_only_is_left_out_by_name(file):
    def louder(x, lengths, generator):
        return 2 * x

    estimator = MLPClassifier(**MLP, callbacks=[Mixup(), Louder()], augment=louder)
    X, y = make_data(estimator)
    estimator.fit(X, y)
    with pytest.warns(
        UserWarning, match="default: callbacks, augment$|default: augment, callbacks$"
    ) as caught:
        serkit.save(estimator, file)
    assert caught[0].filename == __file__
    loaded = serkit.load(file)
    assert loaded.callbacks is loaded.augment is None
    assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


def test_what_training_needs_is_kept_where_files_can_name_it(file):
    estimator = CRNNClassifier(
        **CRNN,
        random_state=np.random.RandomState(0),
        callbacks=[Mixup(alpha=0.3), ExponentialDecay(0.9)],
        augment=Compose([RandomGain(0.5)]),
        validation=KFold(3),
        optimizer=torch.optim.AdamW,
    )
    X, y = make_data(estimator)
    estimator.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert loaded.optimizer is torch.optim.AdamW
    assert repr(loaded.validation) == repr(KFold(3))
    assert [vars(callback) for callback in loaded.callbacks] == [
        vars(callback) for callback in estimator.callbacks
    ]
    assert repr(loaded.augment) == repr(estimator.augment)
    drawn = estimator.random_state.randint(100, size=5)
    assert_array_equal(loaded.random_state.randint(100, size=5), drawn)


def test_requests_for_metadata_are_kept(mlp, file):
    with sklearn.config_context(enable_metadata_routing=True):
        mlp.set_fit_request(sample_weight=True, speakers="who")
        serkit.save(mlp, file)
        loaded = serkit.load(file)
        assert str(loaded.get_metadata_routing()) == str(mlp.get_metadata_routing())
        assert loaded.get_metadata_routing().consumes("fit", ["who"]) == {"who"}


def test_loading_leaves_the_random_state_alone(mlp, file):
    serkit.save(mlp, file)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    serkit.load(file)
    assert torch.equal(torch.rand(2), expected)


def test_any_reader_can_read_the_file(mlp, file):
    serkit.save(mlp, file)
    with zipfile.ZipFile(file) as archive:
        description = json.loads(archive.read("model.json"))
        weights = safetensors.numpy.load(archive.read("weights.safetensors"))
    assert description["model"]["estimator"]["class"] == "serkit.neural_network:MLPClassifier"
    assert description["serkit"] == serkit.__version__
    assert_array_equal(weights["n0/head.bias"], mlp.net_.module_.head.bias.detach().numpy())


def test_classes_that_files_do_not_name_are_refused(mlp, file):
    class Other(MLPClassifier):
        pass

    X, y = make_data(mlp)
    for estimator in (type("MLPClassifier", (MLPClassifier,), {})(**MLP), Other(**MLP)):
        with pytest.raises(TypeError, match=r"which is unknown.*serkit\.persistence\.register"):
            serkit.save(estimator.fit(X, y), file)
    with pytest.raises(TypeError, match="a fitted estimator can be saved, and this is <class"):
        serkit.save(MLPClassifier, file)
    with pytest.raises(NotFittedError):
        serkit.save(MLPClassifier(), file)
    assert not file.exists()


def test_a_module_of_torch_given_as_encoder_is_kept(file):
    encoder = torch.nn.Sequential(torch.nn.Flatten(2), torch.nn.Flatten(1), torch.nn.Linear(36, 4))
    estimator = DomainAdversarialClassifier(encoder, gamma=None, max_epochs=1)
    X = np.random.default_rng(0).normal(size=(4, 1, 9, 4)).astype(np.float32)
    estimator.fit(X, [0, 1, 0, 1])
    serkit.save(estimator, file)
    assert_array_equal(serkit.load(file).predict_proba(X), estimator.predict_proba(X))


def test_a_network_given_as_encoder_is_kept(file):
    network = CRNNClassifier(**CRNN, kernel_size=(3, 2), augment=abs, device="cpu")
    estimator = DomainAdversarialClassifier(network, max_epochs=1, hidden_layer_sizes=(4,))
    X, y = make_data(estimator)
    estimator.fit(X, y, speakers=SPEAKERS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is lost that has an effect
        serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
    assert repr(loaded.encoder) == repr(CRNNClassifier(**CRNN, kernel_size=(3, 2)))
    estimator.set_params(encoder__n_filters=5)
    with pytest.raises(ValueError, match="describe another network"):
        serkit.save(estimator, file)


def test_a_fitted_attribute_without_a_form_is_refused(mlp, file):
    mlp.history_["note"] = [open, None]
    with pytest.raises(TypeError, match=r"MLPClassifier\.history_.*open, which cannot be saved"):
        serkit.save(mlp, file)


def test_a_failed_save_leaves_the_old_file(mlp, file, monkeypatch):
    serkit.save(mlp, file)
    before = file.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        serkit.save(mlp, file)
    assert {path.name for path in file.parent.iterdir()} == {file.name, f"{file.name}.md"}
    assert file.read_bytes() == before


def test_save_and_load_have_a_short_address():
    assert {"save", "load"} <= set(dir(serkit))
    assert serkit.save is serkit.persistence.save
    assert serkit.load is serkit.persistence.load
