"""Spectrograms of waveforms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from serkit.feature_extraction._spectral_base import LEVEL_CONSTRAINTS, WindowTransformer
from serkit.feature_extraction._spectral_frames import PowerSpectra
from serkit.feature_extraction._spectral_level import Level

__all__ = ["Spectrogram"]


class Spectrogram(WindowTransformer):
    """Turn waveforms into spectrograms.

    Parameters
    ----------
    n_fft : int or "auto", default="auto"
        Length of the Fourier transform in samples.
    win_length : int or "auto", default="auto"
        Length of the window in samples, at most `n_fft`.
    hop_length : int or "auto", default="auto"
        Samples from one frame to the next.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz; only the lengths of Kaldi's
        windows depend on it.
    window : str or tuple, default="auto"
        ``"povey"``, or a window of :func:`scipy.signal.get_window`.
    power : float, default=2.0
        Exponent of the magnitude: 2 is power, 1 magnitude, 2/3 a power law
        near that of loudness.
    drop_nyquist : bool, default=False
        Leave out the last bin, so that `n_fft` // 2 remain.
    log : {"db", "ln", "log10"} or None, default=None
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
        What ``"auto"`` means, see the table in :class:`LogMelSpectrogram`.
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
    LogMelSpectrogram : Spectrograms in mel bands.

    References
    ----------
    .. [1] E. Guizzo, "Enhancing the Generalization of Convolutional Neural Networks
       for Speech Emotion Recognition", PhD thesis, City, University of London,
       2023, sections 3.2, 4.3 and 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import Spectrogram
    >>> tone = np.cos(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> frames = Spectrogram(n_fft=512, power=1.0).fit_transform([tone])
    >>> frames[0].shape, int(frames[0][0, :, 60].argmax()) * 16000 / 512
    ((1, 257, 126), 1000.0)
    """

    _parameter_constraints: ClassVar[dict] = {
        **WindowTransformer._parameter_constraints,
        **LEVEL_CONSTRAINTS,
        "drop_nyquist": ["boolean"],
    }

    def __init__(
        self,
        n_fft="auto",
        win_length="auto",
        hop_length="auto",
        *,
        sampling_rate=16000,
        window="auto",
        power=2.0,
        drop_nyquist=False,
        log=None,
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
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.sampling_rate = sampling_rate
        self.window = window
        self.power = power
        self.drop_nyquist = drop_nyquist
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
        settings = self._settings()
        spectra = PowerSpectra.from_settings(settings)
        n_bins = spectra.n_bins - self.drop_nyquist
        return _SpectrogramKernel(spectra, n_bins, Level.from_settings(settings))


@dataclass(frozen=True, eq=False)
class _SpectrogramKernel:
    spectra: PowerSpectra
    n_bins: int
    level: Level

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            frames = self.spectra.frame(waveform)
            spectrogram = torch.empty((1, self.n_bins, len(frames)), device=frames.device)
            for part, spectra in self.spectra.chunks(frames):
                spectrogram[0, :, part] = spectra[:, : self.n_bins].T
            return self.level(spectrogram).cpu().numpy()
