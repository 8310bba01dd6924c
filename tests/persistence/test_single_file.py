"""What a network is after save and load, and what broken and hostile files do."""

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import safetensors
import sklearn
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

import serkit
import serkit.testing
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    MLPClassifier,
    NeuralEstimator,
)
from serkit.testing import all_estimators, make_input
from serkit.training import Mixup

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
    return tmp_path / "network.safetensors"


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


def test_every_network_has_an_instance_that_can_be_saved(file):
    saved = set()
    for estimator in serkit.testing.test_instances():
        if not isinstance(estimator, NeuralEstimator):
            continue
        X = make_input(estimator)
        y = np.arange(len(X)) % 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.set_params(max_epochs=1).fit(X, y)
        serkit.save(estimator, file)
        assert_array_equal(serkit.load(file).transform(X), estimator.transform(X))
        saved.add(type(estimator).__name__)
    networks = all_estimators().values()
    assert saved == {
        network.__name__ for network in networks if issubclass(network, NeuralEstimator)
    }


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
    assert (loaded.lr, type(loaded.max_epochs), loaded.device) == (0.01, int, "auto")


def test_what_matters_for_training_only_is_left_out_by_name(file):
    def louder(x, lengths, generator):
        return 2 * x

    estimator = MLPClassifier(
        **MLP | {"random_state": np.random.RandomState(0)},
        callbacks=[Mixup()],
        augment=louder,
        validation=KFold(3),
        optimizer=torch.optim.Adam,
    )
    X, y = make_data(estimator)
    estimator.fit(X, y)
    with pytest.warns(UserWarning, match="default: .*callbacks") as caught:
        serkit.save(estimator, file)
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    loaded = serkit.load(file)
    for name in ("callbacks", "augment", "validation", "optimizer", "random_state"):
        assert name in message
        assert getattr(loaded, name) == getattr(MLPClassifier(), name)
    assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


def test_requests_for_metadata_are_named_too(mlp, file):
    with sklearn.config_context(enable_metadata_routing=True):
        mlp.set_fit_request(sample_weight=True)
    with pytest.warns(UserWarning, match="set_fit_request"):
        serkit.save(mlp, file)


def test_loading_leaves_the_random_state_alone(mlp, file):
    serkit.save(mlp, file)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    serkit.load(file)
    assert torch.equal(torch.rand(2), expected)


def test_any_safetensors_reader_can_read_the_file(mlp, file):
    serkit.save(mlp, file)
    with safetensors.safe_open(file, "np") as opened:
        contents = json.loads(opened.metadata()["serkit"])
        weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    assert contents["class"] == "MLPClassifier"
    assert contents["versions"] == {"serkit": serkit.__version__, "torch": torch.__version__}
    assert_array_equal(weights["head.bias"], mlp.net_.module_.head.bias.detach().numpy())


def test_only_networks_of_serkit_are_saved(mlp, file):
    class Other(MLPClassifier):
        pass

    for estimator in (
        make_pipeline(mlp),
        LogisticRegression(),
        type("MLPClassifier", (MLPClassifier,), {})(),
        Other(),
        MLPClassifier,
    ):
        with pytest.raises(TypeError, match="only networks of serkit.neural_network"):
            serkit.save(estimator, file)
    with pytest.raises(NotFittedError):
        serkit.save(MLPClassifier(), file)
    assert not file.exists()


def test_a_module_given_as_encoder_is_refused(file):
    encoder = torch.nn.Sequential(torch.nn.Flatten(2), torch.nn.Flatten(1), torch.nn.Linear(36, 4))
    estimator = DomainAdversarialClassifier(encoder, gamma=None, max_epochs=1)
    estimator.fit(np.zeros((4, 1, 9, 4), dtype=np.float32), [0, 1, 0, 1])
    with pytest.raises(TypeError, match=r"encoder=Sequential\(...\) cannot be saved.*state_dict"):
        serkit.save(estimator, file)


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
    mlp.history_["note"] = [{1, 2}, None]
    with pytest.raises(TypeError, match="history_ cannot be saved: set"):
        serkit.save(mlp, file)


def test_a_failed_save_leaves_the_old_file(mlp, file, monkeypatch):
    serkit.save(mlp, file)
    before = file.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        serkit.save(mlp, file)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == before


def test_damaged_files_are_errors(mlp, file):
    serkit.save(mlp, file)
    data = file.read_bytes()
    for damaged in (b"", b"no tensors", data[:50], data[:-4], data[100:], data + b"more"):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged"):
            serkit.load(file)
    with pytest.raises(FileNotFoundError):
        serkit.load(file.with_name("nothing"))


def test_a_pickle_is_not_run(file, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    file.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(ValueError, match="damaged or no safetensors file"):
        serkit.load(file)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_files_of_others_are_errors(metadata, file):
    save_file({"weight": torch.zeros(2)}, file, metadata)
    with pytest.raises(ValueError, match=r"was not written by serkit\.save"):
        serkit.load(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '"format"', "[" * 100_000])
def test_damaged_headers_are_errors(text, file):
    save_file({"weight": torch.zeros(2)}, file, {"serkit": text})
    with pytest.raises(ValueError, match="damaged header"):
        serkit.load(file)


def put(*path, value):
    """Return a change of one value deep in the contents."""

    def change(contents, _):
        for name in path[:-1]:
            contents = contents[name]
        contents[path[-1]] = value

    return change


def drop(*path):
    """Return the removal of one value deep in the contents."""

    def change(contents, _):
        for name in path[:-1]:
            contents = contents[name]
        del contents[path[-1]]

    return change


def reshape(contents, weights):
    weights["head.bias"] = torch.zeros(99)


def retype(contents, weights):
    weights["head.bias"] = weights["head.bias"].double()


def forget(contents, weights):
    del weights["head.bias"]


def add(contents, weights):
    weights["tail.bias"] = torch.zeros(1)


HUGE = {"array": {"dtype": "V99", "shape": [1], "values": ["x"]}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("format", value=2), "newer version"),
        (put("format", value=None), "newer version"),
        (put("class", value="os.system"), "no network 'os.system'"),
        (put("class", value="NeuralClassifier"), "no network 'NeuralClassifier'"),
        (put("class", value=["MLPClassifier"]), "rebuilt"),
        (put("class", value="CRNNClassifier"), "no parameter activation"),
        (put("parameters", "power", value=9), "no parameter power"),
        (put("parameters", "lr", value=-1.0), "'lr' parameter"),
        (put("parameters", "callbacks", value=["os"]), "rebuilt"),
        (put("parameters", "dropout", value={"float": "1e5"}), "no value"),
        (put("parameters", "dropout", value={"module": "os"}), "no value"),
        (put("parameters", "dropout", value={"network": {"class": "os.system"}}), "'os.system'"),
        (put("parameters", "dropout", value={"network": "os"}), "rebuilt"),
        (put("parameters", "class_weight", value={"dict": [[{"dict": []}, 1]]}), "rebuilt"),
        (put("parameters", "hidden_layer_sizes", value={"tuple": [10**9]}), r"\(1000000000, 5\)"),
        (put("attributes", "classes_", value=HUGE), "arrays of |V99"),
        (put("attributes", "predict", value="x"), "predict is no result of fitting"),
        (put("attributes", "lr", value=3), "lr is no result of fitting"),
        (put("attributes", "__class__", value="x"), "__class__ is no result"),
        (put("attributes", "n_bins_in_", value=6), "shape"),
        (put("attributes", "frozen_stages_", value={"tuple": ["tail"]}), "tail"),
        (drop("attributes", "n_bins_in_"), "n_bins_in_"),
        (drop("attributes", "classes_"), "classes_"),
        (drop("attributes"), "attributes"),
        (reshape, r"head.bias is torch.float32 of shape \(99,\)"),
        (retype, "head.bias is torch.float64"),
        (forget, r"missing: \['head.bias'\]"),
        (add, r"no place: \['tail.bias'\]"),
    ],
)
def test_changed_files_are_errors(change, message, mlp, file):
    serkit.save(mlp, file)
    with safetensors.safe_open(file, "pt") as opened:
        contents = json.loads(opened.metadata()["serkit"])
        weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    change(contents, weights)
    save_file(weights, file, {"serkit": json.dumps(contents)})
    with pytest.raises(ValueError, match=message) as caught:
        serkit.load(file)
    assert str(file) in str(caught.value)


def test_save_and_load_have_a_short_address():
    assert {"save", "load"} <= set(dir(serkit))
    assert serkit.save is serkit.persistence.save
    assert serkit.load is serkit.persistence.load
