"""Kaldi's filterbank with energy, pitch and the correlation at it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval

from serkit.feature_extraction._mel import LogMelKernel, LogMelSpectrogram, MelTransformer
from serkit.feature_extraction._pitch import PitchTracker
from serkit.feature_extraction._spectral_conventions import Settings, resolve
from serkit.utils import AudioTransformer

__all__ = ["KaldiFilterbankPitch"]


class KaldiFilterbankPitch(MelTransformer):
    """Turn waveforms into Kaldi's log filterbank with energy, pitch and NCCF.

    The bins are, from the first: log-energy, `n_mels` log filterbank values,
    pitch in Hz, and the normalised cross-correlation (NCCF) at the lag of the
    pitch, which is near 1 in voiced frames and near 0 in others. Every frame
    has a pitch: unvoiced ones are bridged.

    Filterbank and energy equal ``torchaudio.compliance.kaldi.fbank``. The pitch
    is tracked as in [2]_, but is not meant to equal Kaldi's digit by digit.

    Parameters
    ----------
    n_mels : int, default=40
        Number of mel bands.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz.
    win_length : int, default=640
        Length of the window in samples.
    hop_length : int, default=160
        Samples from one frame to the next.
    use_energy : bool, default=True
        Put the log-energy of each frame first.
    use_pitch : bool, default=True
        Append the pitch in Hz.
    use_nccf : bool, default=True
        Append the normalised cross-correlation.
    f_min : float, default=20.0
        Where the lowest filter begins, in Hz.
    f_max : float or None, default=None
        Where the highest filter ends, in Hz; ``None`` is half of the sampling rate.
    f_min_pitch : float, default=50.0
        Lowest pitch in Hz.
    f_max_pitch : float, default=400.0
        Highest pitch in Hz.
    energy_floor : float, default=1.0
        Lower energies are raised to this one. It is a sum of squares over the
        window, meant for 16-bit integers: with samples in [-1, 1] most quiet
        frames have the log-energy 0. Take 0 to keep them apart.
    window : str or tuple, default="povey"
        ``"povey"``, or a window of :func:`scipy.signal.get_window`.
    preemphasis : float, default=0.97
        Coefficient of the pre-emphasis within each frame.
    device : str, torch.device or None, default=None
        Where to compute the filterbank; ``None`` is the CPU.
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
    LogMelSpectrogram : With ``convention="kaldi"``, the filterbank alone.

    References
    ----------
    .. [1] B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with
       Domain Adversarial Training", Nanyang Technological University, 2021,
       section 3.1.4.
    .. [2] P. Ghahremani, B. BabaAli, D. Povey, K. Riedhammer, J. Trmal and
       S. Khudanpur, "A pitch extraction algorithm tuned for automatic speech
       recognition", Proc. ICASSP 2014, pp. 2494-2498, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import KaldiFilterbankPitch
    >>> t = np.arange(16000) / 16000
    >>> voice = sum(np.cos(2 * np.pi * 120 * k * t) / k for k in range(1, 20)) / 5
    >>> frames = KaldiFilterbankPitch().fit_transform([voice])[0]
    >>> frames.shape, round(float(np.median(frames[0, 41])))
    ((1, 43, 97), 120)
    """

    _parameter_constraints: ClassVar[dict] = {
        **AudioTransformer._parameter_constraints,
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "use_energy": ["boolean"],
        "use_pitch": ["boolean"],
        "use_nccf": ["boolean"],
        "f_min": [Interval(Real, 0, None, closed="left")],
        "f_max": [Interval(Real, 0, None, closed="neither"), None],
        "f_min_pitch": [Interval(Real, 0, None, closed="neither")],
        "f_max_pitch": [Interval(Real, 0, None, closed="neither")],
        "energy_floor": [Interval(Real, 0, None, closed="left")],
        "window": [str, tuple],
        "preemphasis": [Interval(Real, 0, 1, closed="left")],
        "device": [str, torch.device, None],
    }

    def __init__(
        self,
        n_mels=40,
        *,
        sampling_rate=16000,
        win_length=640,
        hop_length=160,
        use_energy=True,
        use_pitch=True,
        use_nccf=True,
        f_min=20.0,
        f_max=None,
        f_min_pitch=50.0,
        f_max_pitch=400.0,
        energy_floor=1.0,
        window="povey",
        preemphasis=0.97,
        device=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_mels = n_mels
        self.sampling_rate = sampling_rate
        self.win_length = win_length
        self.hop_length = hop_length
        self.use_energy = use_energy
        self.use_pitch = use_pitch
        self.use_nccf = use_nccf
        self.f_min = f_min
        self.f_max = f_max
        self.f_min_pitch = f_min_pitch
        self.f_max_pitch = f_max_pitch
        self.energy_floor = energy_floor
        self.window = window
        self.preemphasis = preemphasis
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _settings(self) -> Settings:
        shared = ("n_mels", "sampling_rate", "win_length", "hop_length", "f_min", "f_max")
        filterbank = LogMelSpectrogram(
            **{name: getattr(self, name) for name in shared},
            window=self.window,
            preemphasis=self.preemphasis,
            convention="kaldi",
            device=self.device,
        )
        return resolve(filterbank)

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return _KaldiKernel(
            filterbank=self._log_mel_kernel(self._settings()),
            energy_floor=self.energy_floor if self.use_energy else None,
            tracker=self._make_tracker() if self.use_pitch or self.use_nccf else None,
            tracks_used=(self.use_pitch, self.use_nccf),
        )

    def _make_tracker(self) -> PitchTracker:
        highest = self.sampling_rate / 8
        if not self.f_min_pitch < self.f_max_pitch <= highest:
            raise ValueError(
                f"f_min_pitch ({self.f_min_pitch:g} Hz) must lie below f_max_pitch "
                f"({self.f_max_pitch:g} Hz), and f_max_pitch not above an eighth of sampling_rate "
                f"({highest:g} Hz)"
            )
        return PitchTracker(
            self.sampling_rate,
            self.win_length,
            self.hop_length,
            self.f_min_pitch,
            self.f_max_pitch,
        )


@dataclass(frozen=True, eq=False)
class _KaldiKernel:
    filterbank: LogMelKernel
    energy_floor: float | None
    tracker: PitchTracker | None
    tracks_used: tuple[bool, bool]

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            frames = self.filterbank.spectra.frame(waveform)
            parts = [self.filterbank.log_mel(frames)]
            if self.energy_floor is not None:
                parts.insert(0, _log_energy(frames, self.energy_floor)[None])
            bins = torch.cat(parts).cpu().numpy()
        if self.tracker is None:
            return bins[None]
        missing = max(0, self.tracker.win_length - len(waveform))
        tracks = self.tracker(np.pad(waveform, (0, missing)), bins.shape[1])
        used = np.array(list(compress(tracks, self.tracks_used)), dtype=np.float32)
        return np.concatenate([bins, used])[None]


def _log_energy(frames: torch.Tensor, floor: float) -> torch.Tensor:
    """Return the log of the sum of squares of each frame about its mean."""
    energy = frames.var(dim=1, correction=0) * frames.shape[1]
    return energy.clamp_(min=max(floor, float(np.finfo(np.float32).eps))).log_()
