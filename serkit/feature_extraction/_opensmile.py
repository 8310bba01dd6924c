"""Feature sets of openSMILE."""

import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from numbers import Integral
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction._functionals import FunctionalsMixin, input_names
from serkit.utils import (
    AudioTransformer,
    SignalWarning,
    content_digest,
    import_optional,
    name_rows,
)

__all__ = ["OpenSmileDescriptors", "OpenSmileFunctionals"]

#: Longest analysis window of the feature sets, in seconds. Of less signal
#: openSMILE makes a row of NaN.
_LONGEST_WINDOW = 0.07

#: The wrapper casts samples to 16 bit without clipping: +1.0 becomes -1.0.
_LARGEST_SAMPLE = 32767 / 32768

#: Included files stand in configurations as \{file} or \{\cm[option{file}:help]}.
_IN_BRACES = re.compile(r"\{([^{}\n]+)\}")


class _OpenSmile(AudioTransformer):
    """Base of what openSMILE computes from waveforms."""

    _parameter_constraints: ClassVar[dict] = {
        **AudioTransformer._parameter_constraints,
        "feature_set": [str],
        "level": [str],
        "config_path": [None, str, os.PathLike],
        "expected_dim": [None, Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "on_nan": [StrOptions({"error", "zero"})],
    }

    feature_set: str
    level: str
    config_path: str | os.PathLike | None
    expected_dim: int | None
    sampling_rate: int
    on_nan: str

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "_OpenSmile":
        """Check the parameters and the input, and read the names of the features.

        Parameters
        ----------
        X : audio
            The waveforms.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        self._check_input(X, reset=True)
        self.feature_names_ = np.array(self._extractor().names(), dtype=object)
        return self

    def _extractor(self) -> "_Extractor":
        extractor = _Extractor(self._config(), self.level, self.sampling_rate)
        n_features = len(extractor.names())
        if self.expected_dim is not None and n_features != self.expected_dim:
            raise ValueError(
                f"{self.config_path or self.feature_set} gives {n_features} features at level "
                f"{self.level!r}, but expected_dim={self.expected_dim}"
            )
        return extractor

    def _config(self) -> str:
        """Return the name of a shipped set, or the path of a configuration file."""
        if self.config_path is not None:
            if not Path(self.config_path).is_file():
                raise FileNotFoundError(f"config_path {self.config_path} is not a file")
            return str(Path(self.config_path).resolve())
        sets = _opensmile().FeatureSet.__members__
        if self.feature_set not in sets:
            raise ValueError(
                f"unknown feature_set {self.feature_set!r}; choose from {', '.join(sets)}, or pass "
                "config_path="
            )
        return self.feature_set

    def _map(
        self, kernel: Callable[[np.ndarray], np.ndarray], utterances: list[np.ndarray]
    ) -> Iterator[np.ndarray]:
        padded = _pad_short(utterances, ceil(_LONGEST_WINDOW * self.sampling_rate))
        for row, features in enumerate(super()._map(kernel, padded)):
            if not np.isfinite(features).all():
                if self.on_nan == "error":
                    raise ValueError(
                        f"openSMILE gives NaN or infinity for utterance {row}; remove it, or set "
                        'on_nan="zero"'
                    )
                features = np.nan_to_num(features, nan=0.0, posinf=0.0, neginf=0.0)
            yield features

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _cache_state(self) -> dict[str, Any]:
        state = {"opensmile": _opensmile().__version__}
        if self.config_path is not None:
            state["config_path"] = list(map(content_digest, _with_includes(self._config())))
        return state


class OpenSmileFunctionals(FunctionalsMixin, _OpenSmile):
    """Compute an openSMILE set of functionals for every waveform.

    Values equal those of ``opensmile.Smile`` (its features are float32) with
    two exceptions: samples are clipped to 16 bit where the wrapper would wrap
    +1.0 around to -1.0, and signals shorter than 70 ms, the longest analysis
    window of the sets, are zero-padded to it with a
    :class:`~serkit.utils.SignalWarning`, where openSMILE gives NaN.

    Needs the extra ``opensmile``. The licence of openSMILE, which covers
    features computed with it, excludes commercial use.

    Parameters
    ----------
    feature_set : str, default="ComParE_2016"
        A member of ``opensmile.FeatureSet``, with its number of features:
        "ComParE_2016" or "IS13" (6373), "eGeMAPSv02" (88), "GeMAPSv01b" (62),
        "emobase" (988), "IS09" (384), "IS10" (1582), "IS11" (4368),
        "IS12" (6125), and older versions.
    level : str, default="func"
        Level of the configuration that is read; another name is possible with
        `config_path` only.
    config_path : str or path-like or None, default=None
        Configuration file to use instead of `feature_set`, written for the
        external source and sink of the ``opensmile`` package.
    expected_dim : int or None, default=None
        Number of features the set must have; another number is an error.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz.
    on_nan : {"error", "zero"}, default="error"
        What to do where openSMILE gives NaN or infinity all the same: raise an
        error that names the utterance, or put zeros.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    feature_names_ : ndarray of shape (n_features,), dtype=object
        Names that openSMILE gives.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    OpenSmileDescriptors : The descriptors over time that functionals summarize.
    CachedTransformer : Computes features once per utterance.

    References
    ----------
    .. [1] F. Eyben, M. Wöllmer, B. Schuller, "openSMILE: The Munich versatile
       and fast open-source audio feature extractor", ACM Multimedia 2010,
       pp. 1459-1462.
    .. [2] F. Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set
       (GeMAPS) for voice research and affective computing", IEEE Transactions
       on Affective Computing 7(2), 2016, pp. 190-202.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import OpenSmileFunctionals
    >>> tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> smile = OpenSmileFunctionals("eGeMAPSv02").fit([tone])  # doctest: +SKIP
    >>> smile.transform([tone]).shape  # doctest: +SKIP
    (1, 88)
    """

    def __init__(
        self,
        feature_set="ComParE_2016",
        *,
        level="func",
        config_path=None,
        expected_dim=None,
        sampling_rate=16000,
        on_nan="error",
        n_jobs=None,
        verbose=0,
    ):
        self.feature_set = feature_set
        self.level = level
        self.config_path = config_path
        self.expected_dim = expected_dim
        self.sampling_rate = sampling_rate
        self.on_nan = on_nan
        self.n_jobs = n_jobs
        self.verbose = verbose

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names that openSMILE gives.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked as scikit-learn does, then ignored.

        Returns
        -------
        names : ndarray of shape (n_features,), dtype=object
        """
        check_is_fitted(self, "feature_names_")
        input_names(self, input_features)
        return self.feature_names_

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return _Functionals(self._extractor())


class OpenSmileDescriptors(_OpenSmile):
    """Compute openSMILE's low-level descriptors over time for every waveform.

    The frames have one channel and one bin per descriptor. Short signals,
    clipping and the licence are as for :class:`OpenSmileFunctionals`.

    Parameters
    ----------
    feature_set : str, default="ComParE_2016"
        A member of ``opensmile.FeatureSet``, with its number of descriptors:
        "ComParE_2016" or "IS13" (65), "eGeMAPSv02" (25), "GeMAPSv01b" (18),
        "emobase" (26), "IS09" (16), "IS10" (38), "IS11" (59), "IS12" (64), and
        older versions.
    level : str, default="lld"
        "lld" are the descriptors, "lld_de" their deltas, which the GeMAPS
        family lacks; another name is possible with `config_path` only.
    config_path : str or path-like or None, default=None
        Configuration file to use instead of `feature_set`, written for the
        external source and sink of the ``opensmile`` package.
    expected_dim : int or None, default=None
        Number of descriptors the set must have; another number is an error.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz.
    on_nan : {"error", "zero"}, default="error"
        What to do where openSMILE gives NaN or infinity all the same: raise an
        error that names the utterance, or put zeros.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    feature_names_ : ndarray of shape (n_bins,), dtype=object
        Names that openSMILE gives to the descriptors.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    OpenSmileFunctionals : Statistics of the descriptors over an utterance.
    TemporalPooling : Own statistics of them.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import OpenSmileDescriptors
    >>> tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> OpenSmileDescriptors("eGeMAPSv02").fit_transform([tone])[0].shape  # doctest: +SKIP
    (1, 25, 46)
    """

    def __init__(
        self,
        feature_set="ComParE_2016",
        *,
        level="lld",
        config_path=None,
        expected_dim=None,
        sampling_rate=16000,
        on_nan="error",
        n_jobs=None,
        verbose=0,
    ):
        self.feature_set = feature_set
        self.level = level
        self.config_path = config_path
        self.expected_dim = expected_dim
        self.sampling_rate = sampling_rate
        self.on_nan = on_nan
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return self._extractor()


def _opensmile() -> ModuleType:
    return import_optional("opensmile", extra="opensmile", caller="OpenSmileFunctionals")


def _with_includes(config: str) -> list[Path]:
    """Return a configuration and the files that it includes, and these in turn."""
    files = [Path(config)]
    for file in files:  # grows on the way
        for name in _IN_BRACES.findall(file.read_text("latin-1")):
            included = Path(os.path.abspath(file.parent / name))
            if os.path.isfile(included) and included not in files:
                files.append(included)
    return files


def _pad_short(waveforms: list[np.ndarray], length: int) -> list[np.ndarray]:
    short = [row for row, waveform in enumerate(waveforms) if len(waveform) < length]
    if not short:
        return waveforms
    warnings.warn(
        SignalWarning(
            f"{name_rows(short)} of fewer than {length} samples, the longest analysis window of "
            "openSMILE: padded with zeros"
        ),
        stacklevel=4,
    )
    padded = list(waveforms)
    for row in short:
        padded[row] = np.pad(waveforms[row], (0, length - len(waveforms[row])))
    return padded


_SMILES = threading.local()


@dataclass(frozen=True)
class _Extractor:
    """Run openSMILE on one waveform; its object stays in the thread that made it."""

    config: str
    level: str
    sampling_rate: int

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        return self._smile()(np.clip(waveform, -1, _LARGEST_SAMPLE), self.sampling_rate)

    def names(self) -> list[str]:
        return self._smile().feature_names

    def _smile(self) -> Any:
        smiles: dict[tuple[str, str], Any] = _SMILES.__dict__.setdefault("smiles", {})
        key = (self.config, self.level)
        if key not in smiles:
            smiles[key] = self._make_smile()
        return smiles[key]

    def _make_smile(self) -> Any:
        opensmile = _opensmile()
        shipped = opensmile.FeatureSet.__members__.get(self.config)
        if shipped is None:
            return opensmile.Smile(self.config, self.level)
        return opensmile.Smile(shipped, opensmile.FeatureLevel(self.level))


@dataclass(frozen=True)
class _Functionals:
    extractor: _Extractor

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        (functionals,) = self.extractor(waveform)
        if functionals.shape[1] != 1:
            raise ValueError(
                f"level {self.extractor.level!r} gives {functionals.shape[1]} frames, not one row "
                "of functionals: use OpenSmileDescriptors"
            )
        return functionals[:, 0]
