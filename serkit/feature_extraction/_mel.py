"""Log-mel spectrograms of waveforms."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.feature_extraction._mel_filters import mel_filters
from serkit.feature_extraction._spectral_base import LEVEL_CONSTRAINTS, WindowTransformer
from serkit.feature_extraction._spectral_conventions import Settings
from serkit.feature_extraction._spectral_frames import PowerSpectra
from serkit.feature_extraction._spectral_level import Level

__all__ = ["LogMelKernel", "LogMelSpectrogram", "MelTransformer"]

#: Filters that are multiplied together: neighbours share most of their bins.
_FILTERS_PER_BLOCK = 16


class MelTransformer(WindowTransformer):
    """Base of the transformers that go through mel bands."""

    _parameter_constraints: ClassVar[dict] = {
        **WindowTransformer._parameter_constraints,
        **LEVEL_CONSTRAINTS,
        "n_mels": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "f_min": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "f_max": [Interval(Real, 0, None, closed="neither"), None],
        "mel_scale": [StrOptions({"auto", "slaney", "htk", "kaldi"})],
        "norm": [StrOptions({"auto", "slaney"}), None],
    }

    def _filters(self, settings: Settings) -> np.ndarray:
        nyquist = self.sampling_rate / 2
        f_min, f_max = settings["f_min"], settings["f_max"] or nyquist
        if not f_min < f_max <= nyquist:
            raise ValueError(
                f"f_min ({f_min:g} Hz) must lie below f_max ({f_max:g} Hz), and f_max not above "
                f"half of sampling_rate ({nyquist:g} Hz)"
            )
        names = ("n_fft", "n_mels", "mel_scale", "norm")
        n_fft, n_mels, mel_scale, norm = (settings[name] for name in names)
        return mel_filters(self.sampling_rate, n_fft, n_mels, f_min, f_max, mel_scale, norm)

    def _log_mel_kernel(self, settings: Settings) -> "LogMelKernel":
        spectra = PowerSpectra.from_settings(settings)
        bands = _split_filters(self._filters(settings), spectra.device)
        return LogMelKernel(spectra, bands, settings["n_mels"], Level.from_settings(settings))

    def _check_input(self, X: Any, *, reset: bool) -> Any:
        waveforms, restore = super()._check_input(X, reset=reset)
        if reset:
            empty = np.flatnonzero(~self._filters(self._settings()).any(axis=1))
            if len(empty):
                warnings.warn(
                    f"{len(empty)} mel filters lie between the bins of the spectrum and are always "
                    "empty; take fewer n_mels or a longer n_fft",
                    UserWarning,
                    stacklevel=4,
                )
        return waveforms, restore


class LogMelSpectrogram(MelTransformer):
    """Turn waveforms into log-mel spectrograms.

    Parameters
    ----------
    n_mels : int or "auto", default="auto"
        Number of mel bands.
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
    f_min : float or "auto", default="auto"
        Where the lowest filter begins, in Hz.
    f_max : float or None, default=None
        Where the highest filter ends, in Hz; ``None`` is half of the sampling rate.
    mel_scale : {"slaney", "htk", "kaldi"} or "auto", default="auto"
        Scale on which the bands have equal widths; on Kaldi's the filters are
        triangles over mel, on the others over Hz.
    norm : {"slaney"}, "auto" or None, default="auto"
        Give the filters equal areas, or the peak 1.
    log : {"db", "ln", "log10"}, "auto" or None, default="auto"
        Logarithm; decibels are those of the power whatever `power` is.
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
        What ``"auto"`` means, see Notes.
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
    MFCC : Cepstral coefficients of these spectrograms.
    KaldiFilterbankPitch : Kaldi's filterbank with energy and pitch.

    Notes
    -----
    The conventions give the values of ``librosa.feature``, of
    ``torchaudio.transforms`` and of Kaldi's ``compute-fbank-feats`` without
    dither:

    =============== ================= ================ ========================
    parameter       librosa           torchaudio       kaldi
    =============== ================= ================ ========================
    n_fft           2048              400              next power of two
    win_length      n_fft             n_fft            sampling_rate // 40
    hop_length      win_length // 4   win_length // 2  sampling_rate // 100
    window          "hann"            "hann"           "povey"
    center          True              True             False
    pad_mode        "constant"        "reflect"        "constant"
    preemphasis     None              None             0.97
    remove_dc       False             False            True
    n_mels          128               128              23
    f_min           0                 0                20
    mel_scale       "slaney"          "htk"            "kaldi"
    norm            "slaney"          None             None
    log             "db"              "db"             "ln"
    amin            1e-5 ** power     1e-10            1.19e-7
    top_db          80                None; MFCC: 80   None
    n_mfcc          20                40               13
    lifter          0                 0                22
    =============== ================= ================ ========================

    ``log`` and ``top_db`` of :class:`Spectrogram` are ``None`` and 80 or
    ``None``; ``top_db`` is ``None`` for logarithms other than decibels.

    Three things follow the convention alone. Frames of Kaldi are `win_length`
    long and filled up to `n_fft` with zeros at their ends, otherwise the window
    stands in the middle of frames of `n_fft` samples. Kaldi emphasises each
    frame by itself, the others the whole waveform, whose first sample stays as
    it is. Kaldi's windows are symmetric, the others periodic. Kaldi works on
    16-bit integers: multiply the waveforms by 32768 for its values, leave them
    for those of ``torchaudio.compliance.kaldi``.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> noise = np.random.default_rng(0).uniform(-1, 1, (2, 16000))
    >>> LogMelSpectrogram(n_mels=40).fit_transform(noise).shape
    (2, 1, 40, 32)
    >>> LogMelSpectrogram(n_mels=40, convention="kaldi").fit_transform(noise).shape
    (2, 1, 40, 98)
    """

    def __init__(
        self,
        n_mels="auto",
        *,
        sampling_rate=16000,
        n_fft="auto",
        win_length="auto",
        hop_length="auto",
        window="auto",
        power=2.0,
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
        self.n_mels = n_mels
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.window = window
        self.power = power
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

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return self._log_mel_kernel(self._settings())


@dataclass(frozen=True, eq=False)
class LogMelKernel:
    """Compute the log-mel spectrogram of one waveform."""

    spectra: PowerSpectra
    bands: list[tuple[slice, slice, torch.Tensor]]
    n_mels: int
    level: Level

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Return an array of shape (1, n_mels, n_frames)."""
        with torch.inference_mode():
            return self.log_mel(self.spectra.frame(waveform))[None].cpu().numpy()

    def log_mel(self, frames: torch.Tensor) -> torch.Tensor:
        """Turn frames (n_frames, frame_length) into levels (n_mels, n_frames)."""
        mel = torch.empty((self.n_mels, len(frames)), device=frames.device)
        for part, spectra in self.spectra.chunks(frames):
            for rows, bins, filters in self.bands:
                torch.mm(filters, spectra[:, bins].T, out=mel[rows, part])
        return self.level(mel)


def _split_filters(filters: np.ndarray, device: Any) -> list[tuple[slice, slice, torch.Tensor]]:
    """Cut filters into blocks without the bins in which all of a block are zero."""
    bands = []
    for start in range(0, len(filters), _FILTERS_PER_BLOCK):
        rows = slice(start, min(start + _FILTERS_PER_BLOCK, len(filters)))
        used = np.flatnonzero(filters[rows].any(axis=0))
        bins = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        weights = np.ascontiguousarray(filters[rows, bins])
        bands.append((rows, bins, torch.from_numpy(weights).to(device)))
    return bands
