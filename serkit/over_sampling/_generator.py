"""Base of the generative models: training, codes, draws."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.linear_model import RidgeClassifier
from sklearn.utils import check_array, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn
from torch.optim import Optimizer

from serkit.metrics import uar_score
from serkit.over_sampling._class_counts import class_counts
from serkit.over_sampling._documentation import complete_docstring
from serkit.training import Batch, GameStep, choose_device, play, torch_session
from serkit.utils import PresetMixin, row_digests

__all__ = ["AutoencoderGenerator"]

#: Rows per class from which it is judged whether samples look like their class.
_N_JUDGED = 50


class AutoencoderGenerator(
    PresetMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC
):
    """Base of the models that draw feature vectors by the decoder of an autoencoder.

    A subclass has the parameters of :class:`AdversarialAutoencoder`, and says
    what its networks and its steps are.
    """

    #: What changes the time that training takes, but not its result.
    _without_effect = frozenset({"num_threads"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        complete_docstring(cls)

    # What the models differ in.

    @abstractmethod
    def _make_network(self) -> nn.Module:
        """Return the networks, untrained."""

    @abstractmethod
    def _make_prior(self) -> Any:
        """Return the prior, built."""

    @abstractmethod
    def _make_steps(self, network: Any) -> list[GameStep]:
        """Return the steps that are taken for every minibatch, in order."""

    # What they share.

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Feature vectors, standardized.
        y : array-like of shape (n_rows,)
            Their classes.
        X_val : array-like of shape (n_valid, n_features) or None, default=None
            Rows on which the losses are followed; nothing is learnt from them.
            They are taken as they are: a pipeline does not scale them.
        y_val : array-like of shape (n_valid,) or None, default=None
            Their classes.

        Returns
        -------
        self : object

        Raises
        ------
        FloatingPointError
            If training diverges; the message names the step and its rate.

        Warns
        -----
        UserWarning
            If what is drawn of a class does not look like that class.
        """
        self.__dict__.pop("network_", None)  # A fit that fails leaves no model behind.
        X, y = validate_data(self, X, y, dtype=np.float32, ensure_min_samples=2)
        check_classification_targets(y)
        self._check_layer_sizes()
        self.classes_, codes = np.unique(y, return_inverse=True)
        valid = self._check_validation_rows(X_val, y_val)
        self.prior_ = self._make_prior()
        shares = np.bincount(codes) / len(codes)
        self._shares = shares if self.class_sampling == "empirical" else np.ones(len(shares))
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        device = choose_device(self.device)
        classifier = RidgeClassifier().fit(X, codes) if len(self.classes_) > 1 else None
        with torch_session(seed=seed, num_threads=self.num_threads, device=device):
            network = self._make_network().to(device)
            self.history_ = play(
                self._make_steps(network),
                *self._to_tensors(X, codes, device),
                valid=None if valid is None else self._to_tensors(*valid, device),
                batch_size=self.batch_size,
                max_epochs=self.max_epochs,
                max_updates=self.max_updates,
                tol=self.tol,
                n_iter_no_change=self.n_iter_no_change,
                score=None if valid is None else _Judge(self, network, classifier, valid),
                verbose=int(self.verbose),
                description=type(self).__name__,
            )
        self.network_ = network.cpu().eval()
        self.n_iter_ = len(self.history_)
        self.n_updates_ = int(self.history_["n_updates"].iloc[-1])
        self.training_rows_ = np.sort(row_digests(X))
        if classifier is not None:
            self._warn_of_strange_samples(classifier)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes of feature vectors.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Feature vectors.

        Returns
        -------
        codes : ndarray of shape (n_rows, code_dim), dtype float32
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return self._apply(self.network_.encoder, X)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return the feature vectors of codes.

        Parameters
        ----------
        X : array-like of shape (n_rows, code_dim)
            Codes.

        Returns
        -------
        vectors : ndarray of shape (n_rows, n_features), dtype float32
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float32, input_name="X")
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but a code of this {type(self).__name__} has "
                f"{self._n_features_out}"
            )
        return self._apply(self.network_.decoder, X)

    def sample(
        self,
        n_samples: int = 1000,
        y: Any = None,
        *,
        class_balance: str = "stratified",
        random_state: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw feature vectors.

        Parameters
        ----------
        n_samples : int, default=1000
            How many.
        y : label, dict or None, default=None
            Of which class; a dict has the number of vectors of each class, and
            `n_samples` has no effect; ``None`` spreads them over all classes.
        class_balance : {"stratified", "multinomial"}, default="stratified"
            How they are spread: in equal numbers, as far as possible, or by
            drawing the class of each vector.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws; ``None`` takes that of the model.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), dtype float32
            The vectors, class by class.
        y : ndarray of shape (n_samples,)
            Their classes.
        """
        check_is_fitted(self)
        random_state = check_random_state(
            self.random_state if random_state is None else random_state
        )
        counts = class_counts(self.classes_, n_samples, y, class_balance, random_state)
        codes = np.repeat(np.arange(len(self.classes_)), counts)
        seed = random_state.randint(np.iinfo(np.int32).max)
        with torch_session(seed=seed, num_threads=self.num_threads):
            return self._generate(self.network_, codes), self.classes_[codes]

    def _generate(self, network: Any, codes: np.ndarray) -> np.ndarray:
        """Return a vector of every class whose number is given."""
        device = next(network.parameters()).device
        labels = torch.as_tensor(codes, device=device)
        with torch.inference_mode():
            return network.generate(self.prior_.sample(labels), self._one_hot(labels)).cpu().numpy()

    def _draw(self, n_draws: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return draws from the prior, and their classes, one-hot."""
        shares = torch.as_tensor(self._shares, dtype=torch.float32, device=device)
        labels = torch.multinomial(shares, n_draws, replacement=True)
        return self.prior_.sample(labels), self._one_hot(labels)

    def _one_hot(self, labels: Tensor) -> Tensor:
        return nn.functional.one_hot(labels, len(self.classes_)).float()

    def _to_tensors(
        self, X: np.ndarray, codes: np.ndarray, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        x = _to_tensor(X).to(device)
        return x, self._one_hot(torch.as_tensor(codes, device=device))

    def _apply(self, module: Any, X: np.ndarray) -> np.ndarray:
        with torch_session(num_threads=self.num_threads), torch.inference_mode():
            return module(_to_tensor(X)).numpy()

    def _check_layer_sizes(self) -> None:
        for name, sizes in self.get_params(deep=False).items():
            if name.endswith("layer_sizes") and (not len(sizes) or min(sizes) < 1):
                raise ValueError(f"{name} must be one or more numbers above 0, got {sizes!r}")

    def _check_validation_rows(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray] | None:
        if (X is None) != (y is None):
            raise ValueError("X_val and y_val are given together, or neither of them")
        if X is None:
            return None
        X, y = validate_data(self, X, y, dtype=np.float32, reset=False)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y_val has classes that y has not: {unknown.tolist()}")
        return X, np.searchsorted(self.classes_, y)

    def _warn_of_strange_samples(self, classifier: RidgeClassifier) -> None:
        """Warn if what is drawn of a class is not recognised as that class."""
        n_classes = len(self.classes_)
        with torch_session(seed=0, num_threads=self.num_threads):
            share = _recognised(self, self.network_, classifier)
        if share < 1 / n_classes + 0.1:
            warnings.warn(
                f"a linear classifier of the training rows recognises {100 * share:.0f} % of what "
                f"this {type(self).__name__} draws, {100 / n_classes:.0f} % would be chance: its "
                "samples do not look like their classes. Train longer or at other rates, and "
                "standardize the features",
                UserWarning,
                stacklevel=4,
            )

    @property
    def _n_features_out(self) -> int:
        return self.code_dim

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _make_step(
        self,
        name: str,
        losses: Callable[[Batch], dict[str, Tensor]],
        moved: dict[str, Sequence[nn.Module]],
        *,
        momentum: float | None = None,
        **options: Any,
    ) -> GameStep:
        """Return a step that moves networks, listed by the parameter with their rate."""
        rates = {rate: self._setting(rate) for rate in moved}
        groups = [
            {"params": [w for part in parts for w in part.parameters()], "lr": rates[rate]}
            for rate, parts in moved.items()
        ]
        if self._setting("optimizer") == "sgd":
            optimizer: Optimizer = torch.optim.SGD(groups, momentum=momentum or 0.0, fused=True)
        else:
            # Adversaries turn round often: a long memory of gradients makes them circle.
            betas = (0.5 if momentum is None else 0.9, 0.999)
            optimizer = torch.optim.Adam(groups, betas=betas, fused=True)
        text = ", ".join(f"{rate}={value:g}" for rate, value in rates.items())
        return GameStep(name, losses, optimizer, rates=text, **options)


class _Judge:
    """Says after every epoch how much of what is drawn two linear classifiers recognise."""

    def __init__(
        self, model: Any, network: nn.Module, of_train: RidgeClassifier | None, valid: Any
    ) -> None:
        self.model = model
        self.network = network
        of_valid = RidgeClassifier().fit(*valid) if len(np.unique(valid[1])) > 1 else None
        classifiers = {"trts": of_train, "valid_trts": of_valid}
        self.classifiers = {
            name: classifier for name, classifier in classifiers.items() if classifier is not None
        }

    def __call__(self) -> dict[str, float]:
        """Return the shares by name; training draws the same numbers with and without."""
        device = next(self.network.parameters()).device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(0)
            return {
                name: _recognised(self.model, self.network, classifier)
                for name, classifier in self.classifiers.items()
            }


def _recognised(model: Any, network: nn.Module, classifier: RidgeClassifier) -> float:
    """Return the UAR of a classifier on vectors drawn of the classes that it knows."""
    codes = np.repeat(classifier.classes_, _N_JUDGED)
    return uar_score(codes, classifier.predict(model._generate(network, codes)))


def _to_tensor(X: np.ndarray) -> Tensor:
    return torch.from_numpy(np.require(X, requirements="W"))  # a copy of rows that are read-only
