"""Any torch module as a step."""

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from joblib import effective_n_jobs
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction._functionals import FunctionalsMixin, input_names
from serkit.feature_extraction._spectral_threads import ONE_THREAD
from serkit.utils import (
    UtteranceTransformer,
    check_audio,
    check_frames,
)

__all__ = ["TorchTransformer"]


def _gives_functionals(transformer: "TorchTransformer") -> bool:
    return transformer.output == "functionals"


class TorchTransformer(FunctionalsMixin, UtteranceTransformer):
    """Apply a torch module to every utterance.

    The module may be one of ``torchaudio.transforms``, a pretrained encoder, or
    any other. It runs in evaluation mode without gradients on one utterance at
    a time, so that values never depend on batching; it is not changed itself.

    Parameters
    ----------
    module : torch.nn.Module
        Called with a float32 tensor of a batch of one: (1, n_samples) for audio,
        (1, n_channels, n_bins, n_frames) for frames. It returns a tensor, or a
        tuple or ``transformers`` output whose first item is one, with that
        leading axis of length one.
    input : {"audio", "frames"}, default="audio"
        What the utterances are.
    output : {"audio", "frames", "functionals"}, default="frames"
        What the module gives, without the leading axis: waveforms (n_samples,),
        frames (n_channels, n_bins, n_frames) or (n_bins, n_frames), or
        functionals (n_features,).
    device : str, default="auto"
        Device to run on; "auto" takes a GPU if there is one.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_features_out_ : int
        Number of functionals; only for ``output="functionals"``.
    n_channels_in_ : int
        Number of channels seen in ``fit``; only for frames.
    n_bins_in_ : int
        Number of bins seen in ``fit``; only for frames.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for 2-D numeric input.

    See Also
    --------
    CachedTransformer : Runs a slow module once per utterance.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from serkit.feature_extraction import TorchTransformer
    >>> module = torch.nn.AvgPool1d(2)
    >>> TorchTransformer(module, output="audio").fit_transform(np.array([[0.0, 1.0, 1.0, 0.0]]))
    array([[0.5, 0.5]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        **UtteranceTransformer._parameter_constraints,
        "module": [torch.nn.Module],
        "input": [StrOptions({"audio", "frames"})],
        "output": [StrOptions({"audio", "frames", "functionals"})],
        "device": [str],
    }

    def __init__(
        self, module, *, input="audio", output="frames", device="auto", n_jobs=None, verbose=0
    ):
        self.module = module
        self.input = input
        self.output = output
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "TorchTransformer":
        """Check the parameters and the input; the module is not trained.

        Parameters
        ----------
        X : audio or frames
            The utterances. For functionals the module runs on the first, to
            learn their number.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        utterances, _ = self._check_input(X, reset=True)
        if _gives_functionals(self):
            self.n_features_out_ = len(self._make_kernel()(utterances[0]))
        return self

    @available_if(_gives_functionals)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the functionals by the class of the module and their number.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked as scikit-learn does, then ignored.

        Returns
        -------
        names : ndarray of shape (n_features,), dtype=object
        """
        check_is_fitted(self, "n_features_out_")
        input_names(self, input_features)
        prefix = type(self.module).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(self.n_features_out_)], dtype=object)

    def _check_input(self, X: Any, *, reset: bool) -> tuple[list[Any], Callable]:
        check = check_audio if self.input == "audio" else check_frames
        return check(self, X, reset=reset)

    def _make_kernel(self) -> "_ModuleRunner":
        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return _ModuleRunner(deepcopy(self.module).eval().to(device), device, self.output)

    def _apply(self, kernel: Callable[[Any], Any], X: Any) -> np.ndarray:
        # Jobs and the threads of each must not exceed the cores.
        with nullcontext() if effective_n_jobs(self.n_jobs) == 1 else ONE_THREAD:
            return super()._apply(kernel, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self.input == "frames"
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


_AXES = {"audio": (1,), "frames": (2, 3), "functionals": (1,)}


@dataclass(frozen=True)
class _ModuleRunner:
    module: torch.nn.Module
    device: str
    output: str

    def __call__(self, utterance: np.ndarray) -> np.ndarray:
        batch = torch.tensor(utterance, dtype=torch.float32, device=self.device)[None]
        with torch.inference_mode():
            result = self.module(batch)
        tensor = result if isinstance(result, torch.Tensor) else result[0]
        if len(tensor) != 1 or tensor.ndim - 1 not in _AXES[self.output]:
            raise ValueError(
                f"the module turned a batch {tuple(batch.shape)} into {tuple(tensor.shape)}, but "
                f'output="{self.output}" needs a leading axis of length 1 and '
                f"{' or '.join(map(str, _AXES[self.output]))} more"
            )
        values = tensor[0].to("cpu", torch.float32).numpy()
        return values[None] if self.output == "frames" and values.ndim == 2 else values
