"""Write fitted estimators to files that hold no code."""

import os
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save as arrays_to_bytes
from safetensors.torch import save as weights_to_bytes
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from serkit import __version__
from serkit.datasets import Corpus
from serkit.neural_network import NeuralEstimator
from serkit.persistence._archive import write_archive
from serkit.persistence._card import card_facts, write_card
from serkit.persistence._data import describe_data
from serkit.persistence._encode import Encoder
from serkit.persistence._load import FORMAT, rebuild
from serkit.training import torch_session
from serkit.utils import package_versions

__all__ = ["save"]


def save(
    estimator: BaseEstimator,
    path: str | os.PathLike,
    *,
    corpus: Corpus | None = None,
    result: Any = None,
    intended_use: str | None = None,
    licence: str | None = None,
    card: bool = True,
) -> None:
    """Write a fitted estimator to one file that holds no code, and a model card beside it.

    Every estimator of serkit can be saved, and every pipeline or search of such
    with parts of scikit-learn and imbalanced-learn. The file is an archive of a
    description (JSON), of arrays and weights (safetensors), and of plain
    estimators of scikit-learn in the format of skops. Unlike a pickle it runs
    nothing when it is loaded: it names classes of a fixed list, to which
    :func:`register` adds yours.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator, such as a pipeline.
    path : path-like
        The file, such as ``"model.serkit"``; one that exists is replaced once
        the new one is complete. The card is the file with ``.md`` at the end.
    corpus : Corpus, default=None
        What the estimator was trained on. A digest of its audio and labels, its
        speakers and the number of its utterances are kept, so that it is known
        again when the model is evaluated. All of its files are read for that.
    result : ComparisonResult, default=None
        Its evaluation, for the card: protocol, scores and scores per speaker.
    intended_use : str, default=None
        What it is for, in the card.
    licence : str, default=None
        Licence of the training data, in the card.
    card : bool, default=True
        Write the card.

    Raises
    ------
    TypeError
        If the estimator holds something that no file can name, such as a function
        or a network that is not registered, or parts of scikit-learn that a
        file could use to do harm: trees, and so forests and boosting,
        ``SplineTransformer`` and Gaussian processes. The message says where it is.
    ValueError
        If a network has parameters that were changed since it was fitted.
    ImportError
        If a plain estimator of scikit-learn is to be saved without skops.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Warns
    -----
    UserWarning
        If parameters that matter for training only, such as callbacks, cannot
        be saved; they are back at their defaults after :func:`load`.

    See Also
    --------
    load : Reads the file.
    describe : Says what is in the file.
    register : Allows classes of your own.

    Notes
    -----
    What belongs to one machine is not written: ``device`` (a loaded estimator has
    the default), ``location`` of a :class:`~serkit.feature_extraction.CachedTransformer`
    and ``memory`` of a pipeline (it caches nothing until it is told where).

    Examples
    --------
    >>> import tempfile
    >>> import serkit
    >>> from sklearn.datasets import load_iris
    >>> from serkit.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8,), max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     serkit.save(mlp, f"{folder}/mlp.serkit")
    ...     loaded = serkit.load(f"{folder}/mlp.serkit")
    >>> bool((loaded.predict_proba(X) == mlp.predict_proba(X)).all())
    True
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"a fitted estimator can be saved, and this is {estimator!r}")
    check_is_fitted(estimator)
    path = Path(path)
    encoder = Encoder()
    model = encoder.encode(estimator)
    _check_networks(estimator)
    # What cannot be read again must not take the place of a file that can.
    rebuild(model, encoder.arrays, encoder.weights, encoder.parts)
    if encoder.left_out:
        warnings.warn(
            "what matters for training only and has no form in a file is not saved, and will be "
            f"at its default: {', '.join(encoder.left_out)}",
            UserWarning,
            stacklevel=2,
        )
    members = dict(encoder.parts)
    if encoder.arrays:
        members["arrays.safetensors"] = arrays_to_bytes(encoder.arrays)
    if encoder.weights:
        members["weights.safetensors"] = weights_to_bytes(encoder.weights)
    description = {
        "format": FORMAT,
        "serkit": __version__,
        "versions": package_versions(),
        "data": None if corpus is None else describe_data(corpus),
        "card": card_facts(estimator, result=result, intended_use=intended_use, licence=licence),
        "model": model,
    }
    write_archive(path, description, members)
    if card:
        write_card(path.with_name(f"{path.name}.md"), path.name, description)


def _check_networks(value: Any) -> None:
    """Refuse networks whose parameters were changed since they were made of them."""
    if isinstance(value, NeuralEstimator) and hasattr(value, "net_"):
        try:
            with torch_session(seed=0), torch.device("meta"):
                described = repr(value._make_network())
        except Exception as error:  # such as sizes that do not fit the input any more
            described = str(error)
        if described != repr(value.net_.module_):
            raise ValueError(
                "the parameters describe another network than the one that was fitted: fit again, "
                "or set them back"
            )
    if isinstance(value, BaseEstimator):
        for part in vars(value).values():
            _check_networks(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_networks(part)
