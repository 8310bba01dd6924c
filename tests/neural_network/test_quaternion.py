"""Large convolutional networks of quaternions as estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

import serkit
from serkit.modules import QuaternionBatchNorm2d
from serkit.neural_network import (
    DomainAdversarialClassifier,
    FineTuneClassifier,
    MultiTimeScaleClassifier,
    QuaternionCNNClassifier,
)
from serkit.utils import as_ragged

SMALL = {"width": 1 / 16, "max_epochs": 2, "patience": None, "random_state": 0}


def embeddings(n_utterances=12, shape=(4, 64, 64), labels=("anger", "calm")):
    """Return utterances with a stripe along time, at a bin that depends on the class."""
    rng = np.random.default_rng(0)
    y = np.resize(labels, n_utterances)
    X = rng.random((n_utterances, *shape), dtype=np.float32)
    for x, label in zip(X, y, strict=True):
        place = 2 + 8 * labels.index(label)
        x[:, place : place + 4] += 2
    return X, y


def weights(network):
    return {name: value.clone() for name, value in network.net_.module_.state_dict().items()}


@pytest.mark.parametrize("domain", ["quaternion", "real"])
@pytest.mark.parametrize("backbone", ["vgg16", "alexnet", "resnet18", "resnet50"])
def test_embeddings_of_four_channels(backbone, domain):
    X, y = embeddings(4)
    network = QuaternionCNNClassifier(backbone, domain=domain, **(SMALL | {"max_epochs": 1}))
    probabilities = network.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert network.n_frames_ == 64
    assert network.transform(X).shape == (4, {"resnet18": 32, "resnet50": 128}.get(backbone, 256))


@pytest.mark.parametrize("domain", ["quaternion", "real"])
@pytest.mark.parametrize(("backbone", "shape"), [("vgg16", (4, 32, 32)), ("resnet50", (1, 16, 40))])
def test_it_learns(backbone, shape, domain):
    X, y = embeddings(24, shape)
    options = SMALL | {"max_epochs": 25, "lr": 3e-3, "batch_size": 12, "dropout": 0.0}
    network = QuaternionCNNClassifier(backbone, domain=domain, **options).fit(X, y)
    assert network.score(X, y) > 0.9


def test_quaternions_need_a_quarter_of_the_weights():
    X, y = embeddings(4)
    sizes = []
    for domain in ("quaternion", "real"):
        network = QuaternionCNNClassifier(domain=domain, **(SMALL | {"max_epochs": 1})).fit(X, y)
        sizes.append(sum(weight.numel() for weight in network.net_.module_.parameters()))
    assert 0.24 < sizes[0] / sizes[1] < 0.3


def test_spectrograms_of_unequal_lengths():
    X, y = embeddings(6, (1, 20, 50))
    ragged = as_ragged(x[..., : 30 + 4 * row] for row, x in enumerate(X))
    network = QuaternionCNNClassifier(**SMALL).fit(ragged, y)
    assert network.n_frames_ == 50
    padded = np.pad(ragged[0], ((0, 0), (0, 0), (0, 20)))
    np.testing.assert_allclose(
        network.predict_proba(ragged[:1]), network.predict_proba([padded]), atol=1e-6
    )
    with pytest.warns(UserWarning, match="utterance 0 longer than 50 frames"):
        network.predict([np.concatenate([ragged[0], ragged[5]], axis=-1)])


def test_pretrained_weights_are_all_but_those_of_the_head():
    X, y = embeddings()
    source = QuaternionCNNClassifier(**SMALL).fit(X, y)
    before = weights(source)
    X, y = embeddings(labels=("anger", "fear", "joy"))
    tuned = FineTuneClassifier(
        FrozenEstimator(source), unfreeze="all", lr=1e-12, max_epochs=1, random_state=1
    ).fit(X, y)
    assert tuned.classes_.tolist() == ["anger", "fear", "joy"]
    after = weights(tuned.network_)
    assert after["head.weight"].shape == (3, 128)
    kept = [name for name in before if not name.startswith("head") and "running" not in name]
    for name in kept:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-9, err_msg=name)
    tuned = clone(tuned).set_params(lr=1e-2).fit(X, y)
    after = weights(tuned.network_)
    assert all((after[name] != before[name]).any() for name in kept)
    for name, value in weights(source).items():  # what was given stays as it is
        np.testing.assert_array_equal(value, before[name])


def test_frozen_stages_keep_their_batch_statistics():
    X, y = embeddings()
    source = QuaternionCNNClassifier(**SMALL).fit(X, y)
    tuned = FineTuneClassifier(FrozenEstimator(source), unfreeze=2, max_epochs=1).fit(3 * X, y)
    assert tuned.network_.frozen_stages_ == ("stem", "layer1", "layer2", "layer3")
    for name, stage in source.net_.module_.stages.items():
        other = tuned.network_.net_.module_.stages[name]
        for one, two in zip(stage.modules(), other.modules(), strict=True):
            if isinstance(one, QuaternionBatchNorm2d):
                same = (one.running_mean == two.running_mean).all()
                assert same == (name != "layer4")


def test_file_holds_the_network(tmp_path):
    X, y = embeddings(4)
    network = QuaternionCNNClassifier("alexnet", adaptive_pool=(1, 2), **SMALL).fit(X, y)
    serkit.save(network, tmp_path / "network.safetensors")
    loaded = serkit.load(tmp_path / "network.safetensors")
    assert loaded.adaptive_pool == (1, 2)
    np.testing.assert_array_equal(loaded.predict_proba(X), network.predict_proba(X))


def test_it_may_stand_in_another_network():
    X, y = embeddings(8, (4, 20, 40))
    speakers = np.repeat(list("ab"), 4)
    inner = QuaternionCNNClassifier(width=1 / 16)
    training = {"max_epochs": 1, "validation": None, "random_state": 0}
    adversarial = DomainAdversarialClassifier(inner, hidden_layer_sizes=(4,), **training)
    adversarial.fit(X, y, speakers=speakers)
    assert adversarial.stages_[0] == "stem"
    scales = MultiTimeScaleClassifier(inner.set_params(domain="real"), patience=None, **training)
    assert len(scales.fit(X, y).scale_usage(X)) == 17  # kernels of one frame have one scale


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backbone": "vgg19"}, "'backbone' parameter"),
        ({"domain": "complex"}, "'domain' parameter"),
        ({"width": 0}, "'width' parameter"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"adaptive_pool": 0}, "'adaptive_pool' parameter"),
        ({"adaptive_pool": (1, 2, 3)}, "a size is a positive integer or two"),
    ],
    ids=["backbone", "domain", "width", "dropout", "no place", "three"],
)
def test_bad_parameters(parameters, message):
    X, y = embeddings(4)
    with pytest.raises(ValueError, match=message):
        QuaternionCNNClassifier(**(SMALL | parameters)).fit(X, y)
