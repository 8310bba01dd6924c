"""Models that draw feature vectors."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from serkit.metrics import uar_score
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    GaussianMixturePrior,
    InfoGANAutoencoder,
    StandardNormalPrior,
)

MODELS = [AdversarialAutoencoder, AdversarialAutoencoderGAN, InfoGANAutoencoder]

pytestmark = pytest.mark.filterwarnings("ignore:a linear classifier")


@pytest.fixture(scope="module")
def trained(blobs):
    X, y = blobs
    parameters = {"hidden_layer_sizes": (64, 32), "discriminator_layer_sizes": (64, 32)}
    return AdversarialAutoencoder(**parameters, max_epochs=250, random_state=0).fit(X, y)


def test_codes_of_a_class_lie_on_its_component(trained, blobs):
    X, y = blobs
    codes = trained.transform(X)
    means = np.array([codes[y == label].mean(0) for label in trained.classes_])
    distances = cdist(means, trained.prior_.means_)
    np.testing.assert_array_equal(distances.argmin(1), np.arange(4))
    assert distances.diagonal().max() < 1.5
    X_new, y_new = trained.sample(400)
    for label in trained.classes_:
        distance = np.abs(X_new[y_new == label].mean(0) - X[y == label].mean(0)).max()
        assert distance < 0.35


def test_neither_side_of_the_code_game_wins(trained):
    last = trained.history_[-50:]
    for name in ("code_discriminator_loss", "encoder_loss"):
        assert last[name].mean() == pytest.approx(np.log(2), abs=0.05)


@pytest.mark.parametrize("model", MODELS[1:])
def test_samples_of_the_other_models_belong_to_their_class(model, blobs, small):
    X, y = blobs
    rates = {"lr_feature_discriminator": 1e-3, "lr_generator": 1e-3}  # small networks bear these
    if model is InfoGANAutoencoder:
        rates |= {"lr_code_discriminator": 1e-3, "lr_encoder": 1e-3}
    gan = small(model, hidden_layer_sizes=(64, 32), max_epochs=60, **rates)
    X_new, y_new = gan.fit(X, y).sample(400)
    means = np.array([X[y == label].mean(0) for label in gan.classes_])
    nearest = gan.classes_[cdist(X_new, means).argmin(1)]
    assert uar_score(y_new, nearest) > 0.9


def test_numbers_of_samples(trained, blobs):
    X, y = trained.sample(10)
    assert X.shape == (10, 6)
    assert X.dtype == np.float32
    assert y.tolist() == ["anger"] * 3 + ["fear"] * 3 + ["joy"] * 2 + ["sad"] * 2
    assert set(trained.sample(5, y="joy")[1]) == {"joy"}
    X, y = trained.sample(y={"sad": 1, "anger": 2})
    assert y.tolist() == ["anger", "anger", "sad"]
    X, y = trained.sample(0)
    assert X.shape == (0, 6)
    counts = np.unique(trained.sample(1000, class_balance="multinomial")[1], return_counts=True)[1]
    assert len(set(counts)) > 1
    with pytest.raises(ValueError, match="does not know the classes"):
        trained.sample(3, y="boredom")


@pytest.mark.parametrize("model", MODELS)
def test_seeds(model, blobs, small):
    first, second, other = (
        small(model, max_epochs=2, random_state=seed).fit(*blobs) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.sample(20)[0], second.sample(20)[0])
    np.testing.assert_array_equal(
        first.sample(20, random_state=3)[0], second.sample(20, random_state=3)[0]
    )
    assert not np.array_equal(first.sample(20)[0], first.sample(20, random_state=3)[0])
    assert not np.array_equal(first.sample(20)[0], other.sample(20)[0])
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(first.sample(20)[0], again.sample(20)[0])
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    clone(first).fit(*blobs).sample(3)
    assert torch.rand(()) == expected


@pytest.mark.parametrize("model", MODELS)
def test_history(model, blobs, small):
    X, y = blobs
    gan = small(model, max_epochs=2)
    plain = clone(gan).fit(X, y)
    followed = gan.fit(X, y, X_val=X[:20], y_val=y[:20])
    losses = ["reconstruction_loss", "code_discriminator_loss", "encoder_loss"]
    if model is not AdversarialAutoencoder:
        losses += ["feature_discriminator_loss", "generator_loss"]
    if model is InfoGANAutoencoder:
        losses[4:4] = ["aux_real_loss"]
        losses += ["aux_loss"]
    assert list(plain.history_) == ["epoch", "n_updates", *losses]
    assert list(followed.history_)[-len(losses) - 2 :] == [
        *(f"valid_{name}" for name in losses),
        "trts",
        "valid_trts",
    ]
    assert followed.history_["n_updates"].tolist() == [10, 20]
    # Rows that are only watched change nothing.
    np.testing.assert_array_equal(plain.sample(9)[0], followed.sample(9)[0])


def test_number_of_updates(blobs, small):
    gan = small(AdversarialAutoencoder, max_updates=23).fit(*blobs)
    assert gan.n_updates_ == 23
    assert gan.n_iter_ == 3
    assert gan.history_["n_updates"].tolist() == [10, 20, 23]


def test_stops_when_nothing_changes(blobs, small):
    still = {"lr_reconstruction": 1e-9, "lr_code_discriminator": 1e-9, "lr_encoder": 1e-9}
    gan = small(AdversarialAutoencoder, max_epochs=60, tol=0.05, n_iter_no_change=5, **still)
    assert gan.fit(*blobs).n_iter_ == 15
    assert gan.set_params(tol=None).fit(*blobs).n_iter_ == 60


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_divergence_names_the_step_and_its_rate(seed):
    """Summed over many features, the error of the paper's rate of reconstruction explodes."""
    X, y = make_blobs(120, n_features=1582, centers=4, random_state=0)
    gan = AdversarialAutoencoder(
        (64, 32),
        discriminator_layer_sizes=(16,),
        preset="paper",
        reduction="sum",
        momentum=0.99,
        max_epochs=100,
        random_state=seed,
    )
    with pytest.raises(FloatingPointError, match=r"'reconstruction'.*lr_reconstruction=0\.001"):
        gan.fit(scale(X), y)
    with pytest.raises(NotFittedError):
        gan.sample(3)


@pytest.mark.parametrize(
    "rate", ["lr_code_discriminator", "lr_feature_discriminator", "lr_generator"]
)
def test_divergence_of_other_steps(rate, blobs, small):
    gan = small(AdversarialAutoencoderGAN, optimizer="sgd", max_epochs=3, **{rate: 1e37})
    with pytest.raises(FloatingPointError, match=rf"{rate}=1e\+37"):
        gan.fit(*blobs)


def test_samples_that_are_of_no_class_are_warned_of(blobs, small):
    gan = small(AdversarialAutoencoder, max_epochs=1, lr_reconstruction=1e-9)
    with pytest.warns(UserWarning, match="do not look like their classes"):
        gan.fit(*blobs)


def test_label_leaks_into_an_auxiliary_head_that_sees_it(blobs, small):
    """Told the class, it reads that; shuffled features then make no difference to it."""
    X, y = blobs

    def accuracy_on_shuffled(aux_input):
        gan = small(
            InfoGANAutoencoder,
            preset="paper",
            aux_input=aux_input,
            aux_update_trunk=True,
            lr_aux=0.05,
            max_epochs=60,
        )
        gan.fit(X, y)
        X_new, y_new = gan.sample(400)
        labels = torch.as_tensor(np.searchsorted(gan.classes_, y_new))
        order = np.random.default_rng(0).permutation(400)
        classes = torch.nn.functional.one_hot(labels, 4).float()
        with torch.no_grad():
            logits = gan.network_.aux_logits(torch.as_tensor(X_new[order]), classes)
        return (logits.argmax(1) == labels).float().mean().item()

    assert accuracy_on_shuffled("features") < 0.35
    with pytest.warns(UserWarning, match="learns to read the label"):
        assert accuracy_on_shuffled("features+label") > 0.6


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("n_classes", "code_dim"), [(1, 2), (2, 1), (3, 5), (7, 2), (5, 3)])
def test_any_number_of_classes_and_codes(model, n_classes, code_dim, small):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(21, 3)), np.arange(21) % n_classes
    gan = small(model, code_dim=code_dim, max_epochs=1).fit(X, y)
    assert gan.transform(X).shape == (21, code_dim)
    assert gan.inverse_transform(gan.transform(X)).shape == X.shape
    assert list(gan.get_feature_names_out()) == [
        f"{model.__name__.lower()}{i}" for i in range(code_dim)
    ]
    np.testing.assert_array_equal(np.unique(gan.sample(14)[1]), np.arange(n_classes))


def test_bad_input(blobs, small):
    X, y = blobs
    gan = small(AdversarialAutoencoder, max_epochs=1)
    with pytest.raises(ValueError, match="given together"):
        gan.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="classes that y has not: \\['rage'\\]"):
        gan.fit(X, y, X_val=X[:1], y_val=["rage"])
    gan.fit(X, y)
    with pytest.raises(ValueError, match="has 3 columns, but a code"):
        gan.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="row for each of the 4 classes"):
        gan.set_params(prior=GaussianMixturePrior(means=[[0, 0]])).fit(X, y)


def test_layers_have_units(blobs, small):
    for sizes in ((), (0,), (8, -3)):
        with pytest.raises(ValueError, match="discriminator_layer_sizes must be one or more"):
            small(AdversarialAutoencoder, discriminator_layer_sizes=sizes).fit(*blobs)


def test_rows_that_cannot_be_written(blobs, small):
    X, y = blobs
    X = X.astype(np.float32)
    X.flags.writeable = False
    gan = small(AdversarialAutoencoder, max_epochs=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The given NumPy array is not writ")
        gan.fit(X, y).transform(X)


def test_validation_rows_may_lack_classes(blobs):
    X, y = blobs
    rows = np.isin(y, ["fear", "joy"])
    gan = AdversarialAutoencoder((64, 32), discriminator_layer_sizes=(64, 32), max_epochs=100)
    gan.set_params(random_state=0).fit(X, y, X_val=X[rows], y_val=y[rows])
    assert gan.history_["valid_trts"].iloc[-1] > 0.9


def test_threads_are_put_back(blobs, small):
    threads = torch.get_num_threads()
    small(AdversarialAutoencoder, max_epochs=1, num_threads=threads + 1).fit(*blobs).sample(3)
    assert torch.get_num_threads() == threads


def test_own_prior(blobs, small):
    means = [[0, 1], [2, 3], [4, 5], [6, 7]]
    gan = small(AdversarialAutoencoder, max_epochs=1, prior=GaussianMixturePrior(means=means))
    np.testing.assert_array_equal(gan.fit(*blobs).prior_.means_, means)
    assert not hasattr(gan.prior, "means_")
    gan.set_params(prior__scale=3.0, prior__means=None).fit(*blobs)
    np.testing.assert_array_equal(gan.prior_.covariances_[1], 9 * np.eye(2))
    gan.set_params(prior=StandardNormalPrior()).fit(*blobs)

    class Points:
        """Has no parameters that scikit-learn could copy."""

        def build(self, n_classes, n_dims):
            self.points = torch.arange(n_classes * n_dims).reshape(n_classes, n_dims).float()
            return self

        def sample(self, classes):
            return self.points[classes]

    gan.set_params(prior=Points()).fit(*blobs)
    assert len(np.unique(gan.sample(40)[0], axis=0)) == 4


def test_classes_drawn_as_often_as_they_are(blobs, small):
    X, y = blobs
    rows = np.flatnonzero(y != "joy")
    gan = small(AdversarialAutoencoder, max_epochs=1, class_sampling="empirical")
    gan.fit(X, np.where(y == "joy", "sad", y))
    _, classes = gan._draw(4000, torch.device("cpu"))
    np.testing.assert_allclose(classes.mean(0), [0.25, 0.25, 0.5], atol=0.03)
    gan.set_params(class_sampling="uniform").fit(X[rows], y[rows])
    _, classes = gan._draw(3000, torch.device("cpu"))
    np.testing.assert_allclose(classes.mean(0), 1 / 3, atol=0.03)
