"""Networks as ONNX files give the posteriors that they give in Python."""

import json
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from torch import nn

from serkit.augmentation import NoiseMixer
from serkit.feature_extraction import FrameScaler, LogMelSpectrogram
from serkit.inference import OnnxClassifier, export_onnx
from serkit.modules import UtteranceNetwork
from serkit.neural_network import (
    AntiTransferClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    FineTuneClassifier,
    NeuralClassifier,
    QuaternionCNNClassifier,
    SegmentAggregationClassifier,
)
from serkit.pipeline import Pipeline
from serkit.preprocessing import FixedLengthSegmenter
from serkit.testing import test_instances as make_instances
from serkit.utils import as_ragged

onnx_package = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

LENGTHS = (30, 41, 52, 64)
SMALL = {"n_filters": 2, "rnn_hidden_size": 4, "hidden_layer_sizes": (4,)}
TRAINING = {"max_epochs": 1, "batch_size": 4, "random_state": 0}


def networks():
    """Return one network per class, and those whose encoders have other parts."""
    kinds = NeuralClassifier, AntiTransferClassifier, FineTuneClassifier
    found = [one for one in make_instances() if isinstance(one, kinds)]
    options = {"gamma": None, **SMALL, **TRAINING}
    encoders = ("tdnn_bilstm", "cnn1d_gru")
    return found + [DomainAdversarialClassifier(encoder, **options) for encoder in encoders]


def make_frames(network, lengths, *, seed=0):
    rng = np.random.default_rng(seed)
    n_channels = 4 if isinstance(network, QuaternionCNNClassifier) else 1
    # The networks that these are made from know one bin only.
    n_bins = 1 if isinstance(network, AntiTransferClassifier | FineTuneClassifier) else 12
    frames = [rng.normal(size=(n_channels, n_bins, n)).astype(np.float32) for n in lengths]
    if getattr(network, "_input_kind", "frames") == "functionals":
        return np.stack([one[0, :, 0] for one in frames])
    return as_ragged(frames)


def fit(network, X):
    if hasattr(network, "max_epochs"):
        network.set_params(max_epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return network.fit(X, ["calm", "fear", "calm", "fear"])


@pytest.mark.parametrize("network", networks(), ids=lambda network: type(network).__name__)
def test_parity(network, tmp_path):
    network = fit(network, make_frames(network, LENGTHS))
    assert export_onnx(network, tmp_path / "network.onnx") == []
    onnx = OnnxClassifier(tmp_path / "network.onnx", batch_size=3)
    assert onnx.classes_.tolist() == network.classes_.tolist()
    # Shorter, longer, and of one length; shorter even than what the network asks for.
    for lengths in ((64, 3, 40, 100, 41), (2,), (17, 17), (1, 2, 1)):
        X = make_frames(network, lengths, seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = network.predict_proba(X)
        np.testing.assert_allclose(onnx.predict_proba(X), expected, atol=1e-5)
        assert onnx.predict(X).tolist() == onnx.classes_[expected.argmax(axis=1)].tolist()


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    lengths = (4000, 5000, 6000, 7000)
    return [scale * rng.normal(size=n) for n, scale in zip(lengths, (0.01, 0.2) * 2, strict=True)]


def make_pipeline(scaler, network=None):
    return Pipeline(
        [
            ("noise", NoiseMixer([np.sin(np.arange(100.0))], random_state=0)),
            ("mel", LogMelSpectrogram(n_mels=12, n_fft=256, hop_length=64)),
            ("scale", scaler),
            ("network", network or CRNNClassifier(**SMALL, **TRAINING)),
        ]
    )


@pytest.mark.parametrize(
    ("scaler", "steps"),
    [
        (FrameScaler(), ["mel"]),
        (FrameScaler(per="all", with_mean=False), ["mel"]),
        (FrameScaler(method="max", clip=True), ["mel"]),
        (FrameScaler(scope="utterance"), ["mel", "scale"]),
    ],
    ids=["standard", "all", "max", "utterance"],
)
def test_a_scaler_before_the_network_goes_along(speech, tmp_path, scaler, steps):
    model = make_pipeline(scaler).fit(speech, ["calm", "anger"] * 2)
    assert export_onnx(FrozenEstimator(model), tmp_path / "network.onnx") == steps
    onnx = OnnxClassifier(tmp_path / "network.onnx")
    assert onnx.steps_before_ == steps
    front_end = Pipeline([(name, model.named_steps[name]) for name in steps])
    posteriors = onnx.predict_proba(front_end.transform(speech))
    np.testing.assert_allclose(posteriors, model.predict_proba(speech), atol=1e-5)


def test_padding_behind_a_scaler_is_that_of_python(speech, tmp_path):
    """A network of fixed length gets zeros, which are not what zeros are scaled to."""
    glam = next(one for one in make_instances() if type(one).__name__ == "GLAMClassifier")
    model = make_pipeline(FrameScaler(), glam.set_params(max_epochs=1))
    model.fit(speech, ["calm", "anger"] * 2)
    export_onnx(model, tmp_path / "network.onnx")
    frames = model["mel"].transform(speech[:2])
    posteriors = OnnxClassifier(tmp_path / "network.onnx").predict_proba(frames)
    np.testing.assert_allclose(posteriors, model.predict_proba(speech[:2]), atol=1e-5)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    network = CRNNClassifier(**SMALL, **TRAINING)
    fit(network, make_frames(network, LENGTHS))
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    export_onnx(network, path)
    return network, path


def test_the_file_needs_nothing_but_onnxruntime(exported):
    network, path = exported
    session = onnxruntime.InferenceSession(path)
    about = json.loads(session.get_modelmeta().custom_metadata_map["serkit"])
    assert about["classes"] == ["calm", "fear"]
    assert about["network"] == "CRNNClassifier"
    assert [one.name for one in session.get_inputs()] == ["frames", "lengths"]
    shape = session.get_inputs()[0].shape
    assert shape[1:3] == [1, 12]
    assert all(isinstance(size, str) for size in (shape[0], shape[3]))
    X = make_frames(network, (20, 20), seed=2)
    feed = {"frames": np.stack(X), "lengths": np.array([20, 20])}
    (posteriors,) = session.run(["posteriors"], feed)
    np.testing.assert_allclose(posteriors, network.predict_proba(X), atol=1e-5)


def test_copies_of_the_classifier(exported):
    network, path = exported
    X = make_frames(network, LENGTHS)
    onnx = OnnxClassifier(path)
    for copied in (clone(onnx), pickle.loads(pickle.dumps(onnx))):
        np.testing.assert_array_equal(copied.predict_proba(X), onnx.predict_proba(X))


def test_numbers_as_classes(exported, tmp_path):
    network, _ = exported
    X = make_frames(network, LENGTHS)
    network = clone(network).fit(X, [3, 5, 3, 5])
    export_onnx(network, tmp_path / "network.onnx")
    assert set(OnnxClassifier(tmp_path / "network.onnx").predict(X)) <= {3, 5}


def test_wrong_input_is_refused(exported):
    onnx = OnnxClassifier(exported[1])
    with pytest.raises(ValueError, match="12 bins|bins"):
        onnx.predict(as_ragged([np.zeros((1, 5, 30))]))
    with pytest.raises(ValueError, match="NaN"):
        onnx.predict(as_ragged([np.full((1, 12, 30), np.nan)]))


def test_what_has_no_form_is_said(exported, tmp_path):
    network, path = exported
    path_before = path.read_bytes()
    with pytest.raises(TypeError, match="not LogisticRegression"):
        export_onnx(LogisticRegression(), path)
    with pytest.raises(NotFittedError):
        export_onnx(clone(network), path)
    segments = SegmentAggregationClassifier(network, FixedLengthSegmenter(4))
    with pytest.raises(TypeError, match=r"export_onnx\(model.estimator_, path\)"):
        export_onnx(segments, path)
    X = make_frames(network, LENGTHS)
    odd = fit(OddClassifier(max_epochs=1, random_state=0), X)
    with pytest.raises(ValueError, match="OddClassifier cannot be written as ONNX"):
        export_onnx(odd, path)
    wrong = fit(WrongClassifier(max_epochs=1, random_state=0), X)
    with pytest.raises(ValueError, match="gives other posteriors"):
        export_onnx(wrong, path)
    assert path.read_bytes() == path_before
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    foreign = tmp_path / "foreign.onnx"
    model = onnx_package.load(path)
    del model.metadata_props[:]
    onnx_package.save(model, foreign)
    with pytest.raises(ValueError, match="does not say what its classes are"):
        OnnxClassifier(foreign)


class Odd(nn.Module):
    """An encoder that asks for a value, which no graph can."""

    def forward(self, x, lengths=None):
        mean = x.mean(dim=(1, 3))
        return mean * 2 if float(mean.sum()) > 0 else mean


class Wrong(nn.Module):
    """An encoder that does something else when it is exported."""

    def forward(self, x, lengths=None):
        return x.mean(dim=(1, 3)) * (100 if torch.compiler.is_exporting() else 1)


class OddClassifier(NeuralClassifier):
    encoder = Odd

    def _make_module(self, n_channels, n_bins, n_outputs):
        return UtteranceNetwork(self.encoder(), nn.Linear(n_bins, n_outputs))


class WrongClassifier(OddClassifier):
    encoder = Wrong
