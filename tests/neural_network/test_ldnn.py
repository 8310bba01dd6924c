import numpy as np
import pytest
import sklearn
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import serkit
from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import Deltas, FrameScaler, OpenSmileFunctionals
from serkit.metrics import uar_scorer
from serkit.modules import CLDNNEncoder
from serkit.neural_network import (
    CLDNNClassifier,
    DomainAdversarialClassifier,
    LDNNClassifier,
    convolution_param_grid,
)
from serkit.pipeline import Pipeline
from serkit.preprocessing import SpeakerStandardizer
from serkit.utils import as_ragged

TYPES = ["s", "t", "st", "fst"]


@pytest.fixture
def tiny():
    return {
        "lstm_hidden_size": 4,
        "hidden_layer_sizes": (8, 4),
        "max_epochs": 2,
        "patience": None,
        "random_state": 0,
    }


@pytest.fixture
def frames():
    """Frames of 12 bins and of unequal lengths, of which joy is louder."""
    rng = np.random.default_rng(0)
    y = np.array(["anger", "joy"])[np.arange(12) % 2]
    X = [rng.normal(size=(1, 12, 6 + 3 * row)) + (y[row] == "joy") for row in range(12)]
    return as_ragged(x.astype(np.float32) for x in X), y, np.repeat(list("abc"), 4)


def n_parameters(classifier):
    return sum(weights.numel() for weights in classifier.net_.module_.parameters())


def test_default_network_is_the_published_one():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 40, 3)), np.arange(12) % 6
    small = {"max_epochs": 1, "patience": None, "random_state": 0}
    second_biases = 1024  # of torch's LSTM
    ldnn = LDNNClassifier(**small).fit(X, y)
    assert n_parameters(ldnn) == 825_734 + second_biases
    assert ldnn.stages_ == ["context", "recurrence", "pooling", "head"]
    cldnn = CLDNNClassifier(kernel_sizes=((40, 3), (1, 2)), **small).fit(X, y)
    assert n_parameters(cldnn) == 241_862 + second_biases
    assert cldnn.stages_ == ["convolution1", "convolution2", *ldnn.stages_]
    for classifier in (ldnn, cldnn):
        assert (classifier.batch_size, classifier.optimizer, classifier.lr) == (10, "adam", 1e-3)
        head = [type(layer).__name__ for layer in classifier.net_.module_.head]
        assert "BatchNorm1d" not in head
        assert all(p == 0 for p in _dropout(classifier.net_.module_.head))
        assert _dropout(classifier.net_.module_.encoder) == [0.2]
    assert (CLDNNClassifier().patience, LDNNClassifier().patience) == (3, 3)


def _dropout(module):
    return [part.p for part in module.modules() if isinstance(part, torch.nn.Dropout)]


@pytest.mark.parametrize("make", [LDNNClassifier, *TYPES])
def test_posteriors_are_those_of_each_alone(make, frames, tiny):
    X, y, _ = frames
    if isinstance(make, str):
        classifier = CLDNNClassifier(make, n_filters=4, **tiny)
    else:
        classifier = make(**tiny)
    classifier.fit(X, y)
    alone = np.concatenate([classifier.predict_proba(X[row : row + 1]) for row in range(len(X))])
    np.testing.assert_allclose(classifier.predict_proba(X), alone, rtol=0, atol=1e-6)


def test_embedding_is_what_the_head_reads(frames, tiny):
    X, y, _ = frames
    classifier = CLDNNClassifier(n_filters=4, dropout=0.5, **tiny).fit(X, y)
    head = classifier.net_.module_.head
    read = []
    handle = head[0].register_forward_hook(lambda _layer, inputs, _output: read.append(inputs[0]))
    classifier.predict(X[:1])
    handle.remove()
    embedding = classifier.transform(X[:1])
    np.testing.assert_array_equal(embedding, read[0].numpy())
    recurrence = classifier.activations(X[:1], "recurrence")[0]
    np.testing.assert_allclose(recurrence.mean(axis=-1).ravel(), embedding[0], rtol=1e-5)


def test_channels_are_convolved_together(frames, tiny):
    X, y, _ = frames
    with_deltas = Deltas(width=3).fit_transform(X)
    n_channels = len(with_deltas[0])
    assert n_channels > 1
    cldnn = CLDNNClassifier("st", kernel_sizes=((3, 4), (2, 2)), n_filters=5, **tiny)
    cldnn.fit(with_deltas, y)
    front_end = cldnn.net_.module_.encoder.front_end
    assert front_end.layers[0].convolution.weight.shape == (5, n_channels, 3, 4)
    ldnn = LDNNClassifier(**tiny).fit(with_deltas, y)
    lstm = ldnn.net_.module_.encoder.recurrence.layer
    assert lstm.input_size == n_channels * 12 * 16


def test_given_sizes_are_never_padded(frames, tiny):
    X, y, _ = frames
    few_bins = as_ragged(x[:, :4] for x in X)
    CLDNNClassifier("st", n_filters=2, **tiny).fit(few_bins, y)
    classifier = CLDNNClassifier("st", kernel_sizes=((2, 2), (2, 2)), **tiny)
    classifier.fit(X, y)
    with pytest.raises(ValueError, match="leave nothing: the pooling of layer 2 takes 3 bins"):
        classifier.fit(few_bins, y)


def test_sizes_may_be_an_array(frames, tiny):
    X, y, _ = frames
    sizes = ((3, 5), (2, 2))
    one, other = (
        CLDNNClassifier("st", kernel_sizes=kernel_sizes, n_filters=2, **tiny).fit(X, y)
        for kernel_sizes in (sizes, np.array(sizes))
    )
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_file_keeps_network_and_sizes(frames, tiny, tmp_path):
    X, y, _ = frames
    sizes = ((12, 4), (1, 3))
    classifier = CLDNNClassifier("fst", kernel_sizes=sizes, n_filters=2, **tiny).fit(X, y)
    serkit.save(classifier, tmp_path / "cldnn.safetensors")
    loaded = serkit.load(tmp_path / "cldnn.safetensors")
    assert loaded.kernel_sizes == sizes
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_encoder_can_be_made_to_ignore_the_speaker(frames):
    X, y, speakers = frames
    encoder = CLDNNEncoder(1, 12, n_filters=2, lstm_hidden_size=4)
    adversarial = DomainAdversarialClassifier(
        encoder, hidden_layer_sizes=(8,), max_epochs=2, random_state=0, validation=None
    )
    assert adversarial.fit(X, y, speakers=speakers).transform(X).shape == (12, 8)


# The grid.


@pytest.mark.parametrize(
    ("convolution", "n_expected", "first", "last"),
    [
        ("s", 12, ((4, 1), (3, 1)), ((9, 1), (4, 1))),
        ("t", 10, ((1, 3), (1, 2)), ((1, 8), (1, 2))),
        ("fst", 10, ((40, 3), (1, 2)), ((40, 8), (1, 2))),
        ("st", 120, ((4, 3), (3, 2)), ((9, 8), (4, 2))),
    ],
)
def test_grid_has_what_fits(convolution, n_expected, first, last):
    [(name, sizes)] = convolution_param_grid(convolution, 40).items()
    assert name == "kernel_sizes"
    assert len(set(sizes)) == len(sizes) == n_expected
    assert (sizes[0], sizes[-1]) == (first, last)
    assert not [w for (_, w), (_, w2) in sizes if w >= 7 and w2 == 3]


def test_grid_combines_the_winners():
    grid = convolution_param_grid(
        "st",
        40,
        prefix="cldnn__",
        top_s=[((5, 1), (3, 1)), ((22, 1), (3, 1))],
        top_t=[((1, 3), (1, 2))],
    )
    assert grid == {"cldnn__kernel_sizes": [((5, 3), (3, 2)), ((22, 3), (3, 2))]}
    half = convolution_param_grid("st", 40, top_t=[((1, 3), (1, 2))])["kernel_sizes"]
    assert len(half) == 12
    assert {(w1, w2) for (_, w1), (_, w2) in half} == {(3, 2)}


def test_grid_of_a_wide_context_has_all():
    assert len(convolution_param_grid("t", 13, context=(12, 5))["kernel_sizes"]) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s", 9), "none of the 12 kernel sizes fits 9 bins and 16 frames"),
        (("tf", 40), "The 'convolution' parameter"),
    ],
)
def test_grid_says_that_nothing_fits(arguments, message):
    with pytest.raises(ValueError, match=message):
        convolution_param_grid(*arguments)


def test_winners_are_for_both_directions_only():
    with pytest.raises(ValueError, match=r"top_s and top_t are for convolution=\"st\", not 's'"):
        convolution_param_grid("s", 40, top_t=[((1, 3), (1, 2))])


def test_grid_is_searched_in_a_pipeline(frames, tiny):
    X, y, speakers = frames
    pipeline = Pipeline(
        [("scale", FrameScaler()), ("cldnn", CLDNNClassifier("fst", n_filters=2, **tiny))]
    )
    grid = convolution_param_grid("fst", 12, prefix="cldnn__")
    grid = {name: sizes[:2] for name, sizes in grid.items()}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise", refit=False)
    search.fit(X, y, cldnn__speakers=speakers)
    assert [p["cldnn__kernel_sizes"] for p in search.cv_results_["params"]] == [
        ((12, 3), (1, 2)),
        ((12, 3), (1, 3)),
    ]


# The baseline without a network.


def test_support_vectors_on_functionals_know_the_emotion():
    pytest.importorskip("opensmile")
    corpus = make_emotional_speech(4, ["anger", "sadness"], n_sentences=3, random_state=0)
    train = np.isin(corpus.speakers, np.unique(corpus.speakers)[:3])
    speakers = corpus.speakers
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            OpenSmileFunctionals("IS09"), SpeakerStandardizer(), SVC(class_weight="balanced")
        )
        pipeline.fit(corpus.audio[train], corpus.y[train], speakers=speakers[train])
        score = uar_scorer(
            pipeline, corpus.audio[~train], corpus.y[~train], speakers=speakers[~train]
        )
    assert pipeline[-1].n_features_in_ == 384
    assert score > 0.8
