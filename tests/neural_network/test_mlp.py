import numpy as np
import pandas as pd
import pytest

from serkit.neural_network import MLPClassifier

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_layers_can_be_read(functionals, activation):
    mlp = MLPClassifier((6, 4), activation=activation, max_epochs=2, random_state=0)
    mlp.fit(functionals.X, functionals.y)
    assert mlp.stages_ == ["hidden1", "hidden2", "head"]
    values = functionals.X
    for stage, layer in zip(mlp.stages_, (*mlp.net_.module_.encoder.layers, None), strict=True):
        linear = mlp.net_.module_.head if layer is None else layer[0]
        values = values @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
        if layer is not None:
            values = ACTIVATIONS[activation](values)
        np.testing.assert_allclose(mlp.activations(functionals.X, stage), values, atol=1e-5)
    np.testing.assert_array_equal(
        mlp.transform(functionals.X), mlp.activations(functionals.X, "hidden2")
    )


def test_functionals_may_be_a_data_frame(functionals):
    frame = pd.DataFrame(functionals.X, columns=[f"f{k}" for k in range(5)])
    mlp = MLPClassifier((6,), max_epochs=2, random_state=0)
    of_frame = mlp.fit(frame, functionals.y).predict_proba(frame)
    of_array = mlp.fit(functionals.X, functionals.y).predict_proba(functionals.X)
    np.testing.assert_array_equal(of_frame, of_array)


def test_batch_norm_comes_before_the_nonlinearity(functionals):
    mlp = MLPClassifier((6,), batch_norm=True, max_epochs=2).fit(functionals.X, functionals.y)
    names = [type(module).__name__ for module in mlp.net_.module_.encoder.layers[0]]
    assert names == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]


def test_it_learns(functionals):
    mlp = MLPClassifier((16,), dropout=0.1, lr=0.01, max_epochs=50, random_state=0)
    assert mlp.fit(functionals.X, functionals.y).score(functionals.X, functionals.y) > 0.9


@pytest.mark.parametrize(
    "frames",
    [
        lambda X: X,
        list,
        lambda X: np.stack([x[..., :8] for x in X]),
        lambda X: ["03a01Fa.wav"] * len(X),
    ],
)
def test_what_is_no_functional_says_what_to_do(corpus, frames):
    with pytest.raises(ValueError, match="MLPClassifier takes functionals.*TemporalPooling"):
        MLPClassifier((4,)).fit(frames(corpus.X), corpus.y)


def test_rows_may_be_arrays_in_a_list(functionals):
    mlp = MLPClassifier((4,), max_epochs=1).fit(list(functionals.X), functionals.y)
    assert mlp.n_features_in_ == 5


def test_a_network_without_hidden_layers_is_refused(functionals):
    with pytest.raises(ValueError, match="one hidden layer or more"):
        MLPClassifier(()).fit(functionals.X, functionals.y)


def test_the_emotion_network_of_sahu_et_al_has_its_weights():
    rng = np.random.default_rng(0)
    mlp = MLPClassifier((64,) * 4, dropout=0, batch_size=64, max_epochs=1, random_state=0)
    mlp.fit(rng.normal(size=(8, 1582)), ["anger", "happiness", "neutral", "sadness"] * 2)
    assert sum(weights.numel() for weights in mlp.net_.module_.parameters()) == 114_052
    assert mlp.activations(rng.normal(size=(2, 1582)), "hidden3").shape == (2, 64)
