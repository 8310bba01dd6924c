"""What synthetic rows are worth to a classifier: train on real, test on synthetic, and back."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring

from serkit.metrics._frechet import frechet_emotion_distance
from serkit.metrics._scorer import uar_scorer
from serkit.metrics._variance import separation, within_class_sd_ratio
from serkit.utils import last_step, up_to_last_step

__all__ = ["generator_report", "trts_score", "trts_scorer", "tstr_score", "tstr_scorer"]


def trts_score(
    classifier: Any,
    X_real: Any,
    y_real: Any,
    X_synth: Any,
    y_synth: Any,
    *,
    scoring: str | Callable[..., float] | None = None,
) -> float:
    """Train on real rows, test on synthetic rows (TRTS).

    High if the synthetic rows of a class are like real ones. It is high, too, if
    they are all alike: look at :func:`tstr_score` and at the deviations of
    :func:`generator_report` as well.

    Parameters
    ----------
    classifier : estimator
        A clone of it is fitted on the real rows.
    X_real : array-like of shape (n_real, n_features)
        Real rows.
    y_real : array-like of shape (n_real,)
        Their classes.
    X_synth : array-like of shape (n_synthetic, n_features)
        Synthetic rows.
    y_synth : array-like of shape (n_synthetic,)
        The classes that they were made for.
    scoring : str, callable or None, default=None
        What is computed, as in scikit-learn; ``None`` is the UAR.

    Returns
    -------
    score : float
        The score of the synthetic rows.

    See Also
    --------
    tstr_score : Train on synthetic rows, test on real rows.
    trts_scorer : The same as a scorer of generators.

    References
    ----------
    .. [1] S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations
       for Affective Speech using Generative Adversarial Networks", IEEE
       Transactions on Affective Computing, 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.metrics import trts_score
    >>> X, y = load_iris(return_X_y=True)
    >>> X_collapsed, y_collapsed = X[[0, 60, 120]], y[[0, 60, 120]]
    >>> trts_score(GaussianNB(), X, y, X_collapsed, y_collapsed)
    1.0
    """
    fitted = clone(classifier).fit(X_real, y_real)
    return float(_scorer(fitted, scoring)(fitted, X_synth, y_synth))


def tstr_score(
    classifier: Any,
    X_synth: Any,
    y_synth: Any,
    X_real: Any,
    y_real: Any,
    *,
    scoring: str | Callable[..., float] | None = None,
) -> float:
    """Train on synthetic rows, test on real rows (TSTR).

    High if the synthetic rows teach what tells real classes apart.

    Parameters
    ----------
    classifier : estimator
        A clone of it is fitted on the synthetic rows.
    X_synth : array-like of shape (n_synthetic, n_features)
        Synthetic rows.
    y_synth : array-like of shape (n_synthetic,)
        The classes that they were made for.
    X_real : array-like of shape (n_real, n_features)
        Real rows.
    y_real : array-like of shape (n_real,)
        Their classes.
    scoring : str, callable or None, default=None
        What is computed, as in scikit-learn; ``None`` is the UAR.

    Returns
    -------
    score : float
        The score of the real rows.

    See Also
    --------
    trts_score : Train on real rows, test on synthetic rows.
    tstr_scorer : The same as a scorer of generators.

    References
    ----------
    .. [1] S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations
       for Affective Speech using Generative Adversarial Networks", IEEE
       Transactions on Affective Computing, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.metrics import tstr_score
    >>> X, y = load_iris(return_X_y=True)
    >>> X_synth = X + np.random.default_rng(0).normal(scale=0.1, size=X.shape)
    >>> tstr_score(GaussianNB(), X_synth, y, X, y) > 0.9
    True
    """
    fitted = clone(classifier).fit(X_synth, y_synth)
    return float(_scorer(fitted, scoring)(fitted, X_real, y_real))


class _GeneratorScorer:
    """Score a fitted generator on real rows, as ``scoring`` of a search over its parameters."""

    def __init__(self, direction: str, classifier: Any, n_samples: int, scoring: Any):
        self.direction = direction
        self.classifier = classifier
        self.n_samples = n_samples
        self.scoring = scoring

    def __call__(self, generator: Any, X: Any, y: Any) -> float:
        synthetic = _draw(generator, self.n_samples)
        real = up_to_last_step(generator, X), y
        if self.direction == "trts":
            return trts_score(self.classifier, *real, *synthetic, scoring=self.scoring)
        return tstr_score(self.classifier, *synthetic, *real, scoring=self.scoring)

    def __repr__(self) -> str:
        return f"{self.direction}_scorer({self.classifier!r}, n_samples={self.n_samples})"


def trts_scorer(
    classifier: Any, n_samples: int = 6000, *, scoring: str | Callable[..., float] | None = None
) -> Callable[[Any, Any, Any], float]:
    """Make a scorer of generators: train on real rows, test on what the generator draws.

    Parameters
    ----------
    classifier : estimator
        A clone of it is fitted on the real rows.
    n_samples : int, default=6000
        Number of rows that are drawn.
    scoring : str, callable or None, default=None
        What is computed, as in scikit-learn; ``None`` is the UAR.

    Returns
    -------
    scorer : callable
        Called with a fitted generator, or a pipeline that ends in one, X and y.
        In a search these are the rows that the generator was not fitted on.

    See Also
    --------
    tstr_scorer : Train on what the generator draws, test on real rows.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.metrics import trts_scorer
    >>> trts_scorer(GaussianNB(), n_samples=600)
    trts_scorer(GaussianNB(), n_samples=600)
    """
    return _GeneratorScorer("trts", classifier, n_samples, scoring)


def tstr_scorer(
    classifier: Any, n_samples: int = 6000, *, scoring: str | Callable[..., float] | None = None
) -> Callable[[Any, Any, Any], float]:
    """Make a scorer of generators: train on what the generator draws, test on real rows.

    Parameters
    ----------
    classifier : estimator
        A clone of it is fitted on the rows that are drawn.
    n_samples : int, default=6000
        Number of rows that are drawn.
    scoring : str, callable or None, default=None
        What is computed, as in scikit-learn; ``None`` is the UAR.

    Returns
    -------
    scorer : callable
        Called with a fitted generator, or a pipeline that ends in one, X and y.
        In a search these are the rows that the generator was not fitted on.

    See Also
    --------
    trts_scorer : Train on real rows, test on what the generator draws.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold, cross_val_score
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from serkit.metrics import tstr_scorer
    >>> from serkit.over_sampling import GaussianGenerator
    >>> X, y = load_iris(return_X_y=True)
    >>> generator = make_pipeline(StandardScaler(), GaussianGenerator(random_state=0))
    >>> scorer = tstr_scorer(GaussianNB(), n_samples=300)
    >>> cross_val_score(generator, X, y, scoring=scorer, cv=StratifiedKFold(3)) > 0.8
    array([ True,  True,  True])
    """
    return _GeneratorScorer("tstr", classifier, n_samples, scoring)


def generator_report(
    generator: Any,
    X_train: Any,
    y_train: Any,
    X_valid: Any,
    y_valid: Any,
    *,
    classifier: Any,
    feature_extractor: Any = None,
    n_samples: int = 6000,
    random_state: Any = None,
) -> pd.Series:
    """Judge a generator by the rows that it draws.

    Parameters
    ----------
    generator : estimator or tuple (X_synth, y_synth)
        A fitted generator, or rows that were drawn already, such as those that
        a sampler added. Of a pipeline the last step generates: the real rows
        then go through the steps before, and are judged behind these.
    X_train : array-like of shape (n_train, n_features)
        The rows that the generator was fitted on.
    y_train : array-like of shape (n_train,)
        Their classes.
    X_valid : array-like of shape (n_valid, n_features)
        Rows that were held out, of other speakers.
    y_valid : array-like of shape (n_valid,)
        Their classes.
    classifier : estimator
        Clones of it are fitted on the training rows, on the rows held out, and
        on the synthetic rows, once each.
    feature_extractor : estimator or None, default=None
        The fitted network of :func:`frechet_emotion_distance`, whose third
        hidden layer is compared; ``None`` leaves the distances out.
    n_samples : int, default=6000
        Number of rows to draw; no effect on rows that were drawn already.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are drawn; ``None`` is what the generator has.

    Returns
    -------
    report : Series
        ``TRTS_train``, ``TSTR_train``, ``TRTS_valid``, ``TSTR_valid``: UAR of
        :func:`trts_score` and :func:`tstr_score`.

        ``frechet_train``, ``frechet_valid``: :func:`frechet_emotion_distance`.

        ``sd_ratio[...]`` of each class: standard deviation within the class,
        synthetic over training rows, by the variances of all features together,
        which should be of one scale; NaN for a class whose training rows are
        equal. ``sd_ratio`` is the mean over the other classes. Near 0, the
        generator draws the same row again and again, which TRTS cannot see.

        ``separation_train``, ``separation_synth``: variance between the means
        of the classes over variance within, every class counting alike.

    Raises
    ------
    ValueError
        If there are synthetic rows of classes that the training rows lack, or
        no rows of one of theirs.

    See Also
    --------
    tstr_scorer : Chooses the parameters of a generator.

    Examples
    --------
    The reports of several generators make a table:

    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.metrics import generator_report
    >>> X, y = load_iris(return_X_y=True)
    >>> train, valid = (X[::2], y[::2]), (X[1::2], y[1::2])
    >>> collapsed = train[0] * 0.01
    >>> for label in range(3):
    ...     collapsed[train[1] == label] += 0.99 * train[0][train[1] == label].mean(axis=0)
    >>> table = pd.DataFrame(
    ...     {
    ...         name: generator_report((rows, train[1]), *train, *valid, classifier=GaussianNB())
    ...         for name, rows in {"copies": train[0], "collapsed": collapsed}.items()
    ...     }
    ... ).T
    >>> table[["TRTS_valid", "sd_ratio"]].round(2)
               TRTS_valid  sd_ratio
    copies           0.95      1.00
    collapsed        1.00      0.01
    """
    drawn = isinstance(generator, tuple)
    synthetic = generator if drawn else _draw(generator, n_samples, random_state=random_state)
    real = {
        "train": (up_to_last_step(generator, X_train), y_train),
        "valid": (up_to_last_step(generator, X_valid), y_valid),
    }
    report = {}
    taught_by_synthetic = clone(classifier).fit(*synthetic)
    for part, rows in real.items():
        taught_by_real = clone(classifier).fit(*rows)
        report[f"TRTS_{part}"] = uar_scorer(taught_by_real, *synthetic)
        report[f"TSTR_{part}"] = uar_scorer(taught_by_synthetic, *rows)
    if feature_extractor is not None:
        for part, (X, _) in real.items():
            report[f"frechet_{part}"] = frechet_emotion_distance(X, synthetic[0], feature_extractor)
    ratios = within_class_sd_ratio(*real["train"], *synthetic)
    report["sd_ratio"] = float(pd.Series(ratios, dtype=float).mean())
    report |= {f"sd_ratio[{label}]": ratio for label, ratio in ratios.items()}
    report["separation_train"] = separation(*real["train"])
    report["separation_synth"] = separation(*synthetic)
    return pd.Series(report, dtype=float)


def _scorer(fitted: Any, scoring: str | Callable[..., float] | None) -> Callable[..., float]:
    return uar_scorer if scoring is None else check_scoring(fitted, scoring=scoring)


def _draw(generator: Any, n_samples: int, **options: Any) -> tuple[Any, Any]:
    source = last_step(generator)
    if not hasattr(source, "sample"):
        raise TypeError(
            "generator must be a fitted generator with sample, or a pipeline that ends in one; "
            f"got {type(source).__name__}"
        )
    return source.sample(n_samples, **options)
