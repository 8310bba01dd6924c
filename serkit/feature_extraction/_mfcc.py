"""Mel-frequency cepstral coefficients of waveforms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from scipy.fft import dct
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.feature_extraction._mel import LogMelKernel, MelTransformer
from serkit.feature_extraction._spectral_conventions import Settings, resolve

__all__ = ["MFCC"]


class MFCC(MelTransformer):
    """Turn waveforms into mel-frequency cepstral coefficients.

    Parameters
    ----------
    n_mfcc : int or "auto", default="auto"
        Number of coefficients, the zeroth included; at most `n_mels`.
    dct_norm : {"ortho"} or None, default="ortho"
        Orthonormal cosine transform, or twice the sum of products as in
        :func:`scipy.fft.dct`.
    lifter : float or "auto", default="auto"
        Strength of the sinusoidal lifter; 0 for none. Its phase is 0 at the
        zeroth coefficient in Kaldi's convention, at the one before otherwise.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz.
    n_fft : int or "auto", default="auto"
        Length of the Fourier transform in samples.
    win_length : int or "auto", default="auto"
        Length of the window in samples, at most `n_fft`.
    hop_length : int or "auto", default="auto"
        Samples from one frame to the next.
    window : str or tuple, default="auto"
        ``"povey"``, or a window of :func:`scipy.signal.get_window`.
    power : float, default=2.0
        Exponent of the magnitude before the mel filters: 2 is power.
    n_mels : int or "auto", default="auto"
        Number of mel bands.
    f_min : float or "auto", default="auto"
        Where the lowest filter begins, in Hz.
    f_max : float or None, default=None
        Where the highest filter ends, in Hz; ``None`` is half of the sampling rate.
    mel_scale : {"slaney", "htk", "kaldi"} or "auto", default="auto"
        Scale on which the bands have equal widths.
    norm : {"slaney"}, "auto" or None, default="auto"
        Give the mel filters equal areas, or the peak 1.
    log : {"db", "ln", "log10"}, "auto" or None, default="auto"
        Logarithm of the mel spectrogram.
    ref : float or "max", default=1.0
        The value of level 0; ``"max"`` is the largest of each utterance.
    amin : float or "auto", default="auto"
        Smaller values are raised to this one before the logarithm.
    top_db : float, "auto" or None, default="auto"
        Levels further below the highest of the utterance are raised; for
        ``log="db"`` only.
    center : bool or "auto", default="auto"
        Centre the first frame at the first sample, by padding half a window at
        both ends, so that there are 1 + n_samples // `hop_length` frames.
    pad_mode : {"constant", "edge", "reflect", "symmetric"} or "auto", default="auto"
        How the ends are padded.
    preemphasis : float, "auto" or None, default="auto"
        Coefficient of a pre-emphasis.
    remove_dc : bool or "auto", default="auto"
        Subtract the mean of each frame.
    convention : {"librosa", "torchaudio", "kaldi"}, default="librosa"
        What ``"auto"`` means, see the table in :class:`LogMelSpectrogram`. The
        values are those of ``librosa.feature.mfcc``, of
        ``torchaudio.transforms.MFCC``, or of Kaldi's ``compute-mfcc-feats`` with
        ``--use-energy=false``.
    device : str, torch.device or None, default=None
        Where to compute; ``None`` is the CPU.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    LogMelSpectrogram : The spectrograms before the cosine transform.
    Deltas : Appends the changes over time.

    References
    ----------
    .. [1] S. B. Davis and P. Mermelstein, "Comparison of parametric
       representations for monosyllabic word recognition in continuously spoken
       sentences", IEEE Trans. Acoust., Speech, Signal Process. 28(4), 1980,
       section II.
    .. [2] B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with
       Domain Adversarial Training", Nanyang Technological University, 2021,
       section 2.4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import MFCC
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 16000)
    >>> MFCC(n_mfcc=13).fit_transform([noise])[0].shape
    (1, 13, 32)
    """

    _parameter_constraints: ClassVar[dict] = {
        **MelTransformer._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "dct_norm": [StrOptions({"ortho"}), None],
        "lifter": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_mfcc="auto",
        *,
        dct_norm="ortho",
        lifter="auto",
        sampling_rate=16000,
        n_fft="auto",
        win_length="auto",
        hop_length="auto",
        window="auto",
        power=2.0,
        n_mels="auto",
        f_min="auto",
        f_max=None,
        mel_scale="auto",
        norm="auto",
        log="auto",
        ref=1.0,
        amin="auto",
        top_db="auto",
        center="auto",
        pad_mode="auto",
        preemphasis="auto",
        remove_dc="auto",
        convention="librosa",
        device=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_mfcc = n_mfcc
        self.dct_norm = dct_norm
        self.lifter = lifter
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.window = window
        self.power = power
        self.n_mels = n_mels
        self.f_min = f_min
        self.f_max = f_max
        self.mel_scale = mel_scale
        self.norm = norm
        self.log = log
        self.ref = ref
        self.amin = amin
        self.top_db = top_db
        self.center = center
        self.pad_mode = pad_mode
        self.preemphasis = preemphasis
        self.remove_dc = remove_dc
        self.convention = convention
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _settings(self) -> Settings:
        return resolve(self, torchaudio={"top_db": 80.0})

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        settings = self._settings()
        n_mfcc, n_mels = settings["n_mfcc"], settings["n_mels"]
        if n_mfcc > n_mels:
            raise ValueError(f"n_mfcc ({n_mfcc}) must not exceed n_mels ({n_mels})")
        first = 0 if self.convention == "kaldi" else 1
        cosines = _cosines(n_mfcc, n_mels, self.dct_norm, settings["lifter"], first)
        log_mel = self._log_mel_kernel(settings)
        return _MFCCKernel(log_mel, torch.from_numpy(cosines).to(log_mel.spectra.device))


@dataclass(frozen=True, eq=False)
class _MFCCKernel:
    log_mel: LogMelKernel
    cosines: torch.Tensor

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            frames = self.log_mel.spectra.frame(waveform)
            return torch.mm(self.cosines, self.log_mel.log_mel(frames))[None].cpu().numpy()


@lru_cache(maxsize=32)
def _cosines(
    n_mfcc: int, n_mels: int, dct_norm: str | None, lifter: float, first: int
) -> np.ndarray:
    """Return the cosine transform, liftered, as a matrix (n_mfcc, n_mels)."""
    cosines = dct(np.eye(n_mels), type=2, norm=dct_norm, axis=0)[:n_mfcc]
    if lifter:
        index = np.arange(first, first + n_mfcc)
        cosines = cosines * (1 + lifter / 2 * np.sin(np.pi * index / lifter))[:, None]
    return np.ascontiguousarray(cosines, dtype=np.float32)
