"""Fréchet distance between real and synthetic vectors."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh, svdvals

from serkit.utils import last_step, up_to_last_step

__all__ = ["frechet_distance", "frechet_emotion_distance"]


def frechet_distance(mu1: ArrayLike, cov1: ArrayLike, mu2: ArrayLike, cov2: ArrayLike) -> float:
    """Compute the Fréchet distance between two Gaussians.

    The squared distance of the means, plus what the covariances differ by; also
    known as the squared 2-Wasserstein distance.

    Parameters
    ----------
    mu1 : array-like of shape (n_features,)
        Mean of the first Gaussian.
    cov1 : array-like of shape (n_features, n_features)
        Covariance of the first Gaussian; it may be singular.
    mu2 : array-like of shape (n_features,)
        Mean of the second Gaussian.
    cov2 : array-like of shape (n_features, n_features)
        Covariance of the second Gaussian; it may be singular.

    Returns
    -------
    distance : float
        0 for equal Gaussians, else positive.

    Raises
    ------
    ValueError
        If the shapes do not fit, or if a matrix is no covariance.

    See Also
    --------
    frechet_emotion_distance : The same for rows, as an emotion network sees them.

    Notes
    -----
    The trace of the square root of ``cov1 @ cov2`` is computed as the sum of the
    singular values of the product of the two symmetric square roots. It is real,
    and needs no constant on the diagonal of a singular covariance.

    References
    ----------
    .. [1] D. C. Dowson and B. V. Landau, "The Fréchet distance between multivariate
       normal distributions", Journal of Multivariate Analysis 12(3), 1982,
       pp. 450-455.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.metrics import frechet_distance
    >>> frechet_distance([0, 0], np.eye(2), [3, 0], np.eye(2))
    9.0
    >>> frechet_distance([0, 0], np.diag([1, 4]), [0, 0], np.diag([4, 4]))
    1.0
    """
    mu1, cov1 = _check_gaussian(mu1, cov1, "1")
    mu2, cov2 = _check_gaussian(mu2, cov2, "2")
    if mu1.shape != mu2.shape:
        raise ValueError(f"mu1 has {len(mu1)} features, mu2 has {len(mu2)}; they must be the same")
    root1, root2 = _square_root(cov1, "cov1"), _square_root(cov2, "cov2")
    common = svdvals(root1 @ root2).sum()
    squared = np.sum((mu1 - mu2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * common
    return max(float(squared), 0.0)


def frechet_emotion_distance(
    X_real: Any, X_synth: Any, feature_extractor: Any, *, layer: int | str = 3
) -> float:
    """Compute the Fréchet distance of real and synthetic rows, as an emotion network sees them.

    Both sets go through a fitted network, and the Gaussians of what a hidden
    layer makes of them are compared. Classes play no part: see
    :func:`trts_score` and :func:`tstr_score` for these.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Real rows, two or more.
    X_synth : array-like of shape (n_synthetic, n_features)
        Synthetic rows, two or more.
    feature_extractor : estimator
        A fitted network with ``activations``, such as
        :class:`~serkit.neural_network.MLPClassifier`, or a pipeline that ends in
        one.
    layer : int or str, default=3
        The hidden layer, counted from 1, or a stage of the network by its name.

    Returns
    -------
    distance : float
        0 for the same mean and covariance, else positive. Values of different
        networks or layers cannot be compared.

    Raises
    ------
    TypeError
        If the feature extractor has no ``activations``.
    ValueError
        If the numbers of features differ, if a set has fewer than two rows, or
        if the layer gives no vector per row.

    See Also
    --------
    frechet_distance : The same from means and covariances.
    generator_report : This and other figures of one generator.

    Notes
    -----
    The paper [1]_ takes the third hidden layer of
    ``MLPClassifier((64, 64, 64, 64), dropout=0, batch_size=64, max_epochs=30)``,
    trained on all utterances of the corpus, those that are held out among them.

    References
    ----------
    .. [1] S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations
       for Affective Speech using Generative Adversarial Networks", IEEE
       Transactions on Affective Computing, 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from serkit.metrics import frechet_emotion_distance
    >>> from serkit.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((16, 16, 16), dropout=0, max_epochs=30, random_state=0).fit(X, y)
    >>> round(frechet_emotion_distance(X, X[::-1], network), 6)
    0.0
    >>> frechet_emotion_distance(X, X[y == 0], network) > 1
    True
    """
    network = last_step(feature_extractor)
    if not hasattr(network, "activations"):
        raise TypeError(
            "feature_extractor must be a fitted network with activations, such as MLPClassifier, "
            f"or a pipeline that ends in one; got {type(network).__name__}"
        )
    if np.shape(X_real)[1:] != np.shape(X_synth)[1:]:
        raise ValueError(
            f"real and synthetic rows must have the same features; X_real has shape "
            f"{np.shape(X_real)}, X_synth has {np.shape(X_synth)}"
        )
    stage = f"hidden{layer}" if isinstance(layer, Integral) else layer
    gaussians = []
    for name, X in (("X_real", X_real), ("X_synth", X_synth)):
        if len(X) < 2:
            raise ValueError(f"a covariance needs two rows or more; {name} has {len(X)}")
        values = np.asarray(network.activations(up_to_last_step(feature_extractor, X), stage))
        if values.ndim != 2:
            raise ValueError(
                f"stage {stage!r} gives no vector per row: its output has shape {values.shape}"
            )
        values = values.astype(float)
        gaussians += [values.mean(axis=0), np.atleast_2d(np.cov(values, rowvar=False))]
    return frechet_distance(*gaussians)


def _check_gaussian(mu: ArrayLike, cov: ArrayLike, which: str) -> tuple[np.ndarray, np.ndarray]:
    mu, cov = np.asarray(mu, dtype=float), np.asarray(cov, dtype=float)
    if mu.ndim != 1 or cov.shape != (len(mu), len(mu)):
        raise ValueError(
            f"mu{which} must have shape (n_features,) and cov{which} (n_features, n_features); "
            f"got {mu.shape} and {cov.shape}"
        )
    if not (np.isfinite(mu).all() and np.isfinite(cov).all()):
        raise ValueError(f"mu{which} or cov{which} has NaN or infinity")
    if not np.allclose(cov, cov.T, atol=1e-6 * np.abs(cov).max(initial=0)):
        raise ValueError(f"cov{which} is not symmetric, so it is no covariance")
    return mu, cov


def _square_root(cov: np.ndarray, name: str) -> np.ndarray:
    values, vectors = eigh(cov)
    largest = np.abs(values).max(initial=0)
    if values.min(initial=0) < -1e-4 * largest:
        raise ValueError(f"{name} has the eigenvalue {values.min():.3g}, so it is no covariance")
    # What is left of a zero after rounding would count with its root, which is far larger.
    values[values < len(values) * np.finfo(float).eps * largest] = 0
    return (vectors * np.sqrt(values)) @ vectors.T
