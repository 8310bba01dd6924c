import numpy as np
import pytest
import torch
from sklearn.utils import get_tags

import serkit
from serkit.neural_network import CRNNClassifier, GLAMClassifier
from serkit.training import ClassificationObjective, ExponentialDecay, Mixup

SMALL = {"n_blocks": 2, "n_filters": 2, "expansion": 2, "max_epochs": 2, "random_state": 0}


@pytest.fixture
def segments():
    """Segments of equal length: three channels, five bins, nine frames."""
    rng = np.random.default_rng(0)
    y = np.array(["anger", "joy"])[np.arange(24) % 2]
    return rng.normal(size=(24, 3, 5, 9)) + (y == "joy")[:, None, None, None], y


def callbacks(net):
    return [callback for _, callback in net.callbacks_]


@pytest.mark.parametrize(
    ("options", "lr", "alpha"),
    [
        ({}, 1e-4, None),
        ({"preset": "reference"}, 1e-3, 0.5),
        ({"preset": "reference", "mixup": None, "lr": 0.1}, 0.1, None),
        ({"mixup": 0.2}, 1e-4, 0.2),
    ],
    ids=["paper", "reference", "reference without mixup", "paper with mixup"],
)
def test_preset_decides_what_is_left_to_it(segments, options, lr, alpha):
    net = GLAMClassifier(**SMALL, **options).fit(*segments).net_
    assert net.lr == lr
    assert net.batch_size == 32
    found = [callback.alpha for callback in callbacks(net) if isinstance(callback, Mixup)]
    assert found == ([] if alpha is None else [alpha])
    (decay,) = (callback for callback in callbacks(net) if isinstance(callback, ExponentialDecay))
    assert (decay.rate, decay.floor) == (0.95, 1e-6)


def test_learning_rate_falls_until_a_millionth(segments):
    X, y = segments
    glam = GLAMClassifier(**(SMALL | {"max_epochs": 95})).fit(X[:4], y[:4])
    lr = glam.history_["lr"].to_numpy()
    np.testing.assert_allclose(lr[:90], 1e-4 * 0.95 ** np.arange(90))
    assert lr[89] > 1e-6
    assert (lr[90:] == 1e-6).all()


def test_learning_rate_below_the_floor_stays(segments):
    glam = GLAMClassifier(**SMALL, lr=1e-9).fit(*segments)
    assert glam.history_["lr"].tolist() == [1e-9, 1e-9]


def test_share_of_one_is_plain_cross_entropy():
    logits, y = torch.randn(6, 3), torch.arange(6) % 3
    mixed = {"y": y, "mixed_y": y.roll(1), "share": torch.tensor(1.0)}
    expected = torch.nn.functional.cross_entropy(logits, y)
    torch.testing.assert_close(ClassificationObjective().loss(logits, mixed), expected)


def test_it_says_that_it_is_of_fixed_length(segments):
    assert get_tags(GLAMClassifier()).input_tags.fixed_length
    assert not get_tags(CRNNClassifier()).input_tags.fixed_length
    X, y = segments
    glam = GLAMClassifier(**SMALL).fit(X, y)
    assert glam.n_frames_ == 9
    with pytest.warns(UserWarning, match="utterance 0 longer than 9 frames"):
        cut = glam.predict_proba([np.concatenate([X[0], X[1]], axis=-1)])
    np.testing.assert_allclose(cut, glam.predict_proba([X[0]]), atol=1e-6)
    padded = np.pad(X[:1, ..., :6], ((0, 0), (0, 0), (0, 0), (0, 3)))
    np.testing.assert_allclose(
        glam.predict_proba([X[0, ..., :6]]), glam.predict_proba(padded), atol=1e-6
    )


def test_utterances_of_one_bin_and_one_frame_are_padded():
    X = np.random.default_rng(0).normal(size=(6, 1, 1, 1))
    glam = GLAMClassifier(**(SMALL | {"n_blocks": 4})).fit(X, [0, 1] * 3)
    assert glam.n_frames_ == 8
    assert np.isfinite(glam.predict_proba(X)).all()


def test_segments_do_not_depend_on_the_batch(segments):
    X, y = segments
    glam = GLAMClassifier(**SMALL).fit(X, y)
    alone = np.concatenate([glam.predict_proba(x[None]) for x in X])
    np.testing.assert_allclose(glam.predict_proba(X), alone, atol=1e-6)


def test_it_learns(segments):
    X, y = segments
    glam = GLAMClassifier("reference", **(SMALL | {"max_epochs": 30}), lr=0.01).fit(X, y)
    assert glam.score(X, y) > 0.9


def test_file_holds_the_network(segments, tmp_path):
    X, y = segments
    glam = GLAMClassifier(**SMALL).fit(X, y)
    serkit.save(glam, tmp_path / "glam.safetensors")
    loaded = serkit.load(tmp_path / "glam.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(X), glam.predict_proba(X))
