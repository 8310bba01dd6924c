import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from torch import nn

from serkit.metrics import ccc_scorer
from serkit.neural_network import (
    BiGRURegressor,
    CRNNClassifier,
    CRNNRegressor,
    GLAMClassifier,
    LDNNClassifier,
    MLPClassifier,
    MultiTimeScaleClassifier,
    UtteranceRegressor,
)

CRNN = {"n_filters": 4, "conv_dropout": 0.0, "rnn_hidden_size": 4}
TRAINING = {
    "hidden_layer_sizes": (8,),
    "dropout": 0.0,
    "lr": 0.02,
    "max_epochs": 30,
    "random_state": 0,
}


@pytest.fixture
def dimensions(corpus):
    """Frames whose two levels are valence and arousal."""
    rng = np.random.default_rng(0)
    y = rng.uniform(1, 5, size=(24, 2))
    X = 0.1 * rng.normal(size=(24, 1, 4, 10)) + np.repeat(y - 3, 2, axis=1)[:, None, :, None]
    return X, y, corpus.speakers


class Average(nn.Module):
    def forward(self, x):
        return x.mean(dim=(1, 3))


@pytest.mark.parametrize("loss", ["mse", "ccc"])
@pytest.mark.parametrize(
    "encoder",
    [CRNNClassifier(**CRNN), CRNNRegressor(**CRNN), BiGRURegressor(8, dropout=0.0), Average()],
    ids=lambda encoder: type(encoder).__name__,
)
def test_any_encoder_learns(dimensions, encoder, loss):
    X, y, speakers = dimensions
    regressor = UtteranceRegressor(encoder, loss=loss, **TRAINING)
    scores = cross_val_score(regressor, X, y, groups=speakers, cv=GroupKFold(2), scoring=ccc_scorer)
    assert (scores > 0.6).all()


@pytest.mark.parametrize(
    "encoder",
    [
        "cnn1d_gru",
        "cnn2d_bigru",
        "tdnn_bilstm",
        GLAMClassifier(n_blocks=2, n_filters=2, expansion=2),
        LDNNClassifier(lstm_hidden_size=8),
        MultiTimeScaleClassifier("A1", kernel_size=(2, 3), hidden_layer_sizes=(8,)),
    ],
    ids=lambda encoder: encoder if isinstance(encoder, str) else type(encoder).__name__,
)
def test_every_encoder_is_taken(dimensions, encoder):
    X, y, _ = dimensions
    regressor = UtteranceRegressor(encoder, **(TRAINING | {"max_epochs": 1})).fit(X, y)
    assert regressor.predict(X[:3]).shape == (3, 2)
    assert regressor.stages_[-1] == "head"


@pytest.mark.parametrize("encoder", ["mlp", MLPClassifier((8,))], ids=["name", "network"])
def test_functionals(functionals, encoder):
    y = functionals.X[:, 0]
    regressor = UtteranceRegressor(encoder, **TRAINING).fit(functionals.X, y)
    assert regressor.score(functionals.X, y) > 0.6


def test_parameters_of_the_encoder_are_searched(dimensions):
    X, y, speakers = dimensions
    regressor = UtteranceRegressor(CRNNClassifier(**CRNN), **(TRAINING | {"max_epochs": 1}))
    grid = {"encoder__n_filters": [2, 3], "loss": ["ccc"]}
    search = GridSearchCV(regressor, grid, scoring=ccc_scorer, cv=GroupKFold(2))
    search.fit(X, y, groups=speakers)
    n_filters = search.best_params_["encoder__n_filters"]
    weight = search.best_estimator_.net_.module_.encoder.blocks[0].convolution.weight
    assert len(weight) == n_filters


def test_a_regressor_within_itself_is_refused(dimensions):
    X, y, _ = dimensions
    with pytest.raises(ValueError, match="encoder is itself a UtteranceRegressor"):
        UtteranceRegressor(UtteranceRegressor(), **TRAINING).fit(X, y)
