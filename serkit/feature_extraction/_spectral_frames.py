"""From a waveform to the spectra of its windows, in pieces that fit into the cache."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from scipy.signal import get_window

__all__ = ["PowerSpectra", "make_window"]

#: Samples of the windows that are transformed at a time.
_CHUNK_SAMPLES = 2**19


@lru_cache(maxsize=32)
def make_window(window: str | tuple, length: int, *, symmetric: bool) -> torch.Tensor:
    """Return a window function.

    Parameters
    ----------
    window : str or tuple
        ``"povey"``, or a window of :func:`scipy.signal.get_window`.
    length : int
        Number of samples.
    symmetric : bool
        End as it begins, rather than one sample short of a period. The Povey
        window always does.

    Returns
    -------
    window : Tensor of shape (length,), float32
    """
    if window == "povey":
        values = get_window("hann", length, fftbins=False) ** 0.85
    else:
        values = get_window(window, length, fftbins=not symmetric)
    return torch.from_numpy(values.astype(np.float32))


@dataclass(frozen=True, eq=False)
class PowerSpectra:
    """Cut waveforms into windows and take the spectra of these.

    Parameters
    ----------
    window : Tensor of shape (frame_length,)
        Window function; its length is that of a frame.
    n_fft : int
        Length of the Fourier transform, not less than that of a frame.
    hop_length : int
        Samples from one frame to the next.
    padding : int
        Samples added at both ends.
    pad_mode : str
        How they are filled, as in :func:`numpy.pad`.
    preemphasis : float
        Coefficient of the pre-emphasis; 0 for none.
    within_frames : bool
        Emphasise each frame by itself, rather than the waveform.
    remove_dc : bool
        Subtract the mean of each frame.
    power : float
        Exponent of the magnitude.
    device : str or torch.device
        Where to compute.
    """

    window: torch.Tensor
    n_fft: int
    hop_length: int
    padding: int
    pad_mode: str
    preemphasis: float
    within_frames: bool
    remove_dc: bool
    power: float
    device: Any

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "PowerSpectra":
        """Build from the resolved parameters of an estimator."""
        kaldi = settings["convention"] == "kaldi"
        n_fft, win_length = settings["n_fft"], settings["win_length"]
        if win_length > n_fft:
            raise ValueError(
                f"win_length ({win_length}) must not exceed n_fft ({n_fft}); give both or neither"
            )
        window = make_window(settings["window"], win_length, symmetric=kaldi)
        if not kaldi:
            missing = n_fft - win_length
            window = torch.nn.functional.pad(window, (missing // 2, missing - missing // 2))
        device = settings["device"] or "cpu"
        return cls(
            window=window.to(device),
            n_fft=n_fft,
            hop_length=settings["hop_length"],
            padding=len(window) // 2 if settings["center"] else 0,
            pad_mode=settings["pad_mode"],
            preemphasis=settings["preemphasis"] or 0.0,
            within_frames=kaldi,
            remove_dc=settings["remove_dc"],
            power=settings["power"],
            device=device,
        )

    @property
    def frame_length(self) -> int:
        """Number of samples of a frame."""
        return len(self.window)

    @property
    def n_bins(self) -> int:
        """Number of bins from zero to half of the sampling rate."""
        return self.n_fft // 2 + 1

    def frame(self, waveform: np.ndarray) -> torch.Tensor:
        """Return the frames of a waveform as a view of shape (n_frames, frame_length)."""
        waveform = np.require(waveform, np.float32, ["C", "W"])
        if len(waveform) < self.frame_length:
            waveform = _pad(waveform, 0, self.frame_length - len(waveform))
        if self.preemphasis and not self.within_frames:
            waveform = np.concatenate(
                [waveform[:1], waveform[1:] - np.float32(self.preemphasis) * waveform[:-1]]
            )
        if self.padding:
            waveform = _pad(waveform, self.padding, self.padding, self.pad_mode)
        samples = torch.from_numpy(waveform).to(self.device)
        return samples.unfold(0, self.frame_length, self.hop_length)

    def chunks(self, frames: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield parts of the frames with their spectra, of shape (n_frames, n_bins)."""
        size = max(1, _CHUNK_SAMPLES // self.n_fft)
        for start in range(0, len(frames), size):
            part = slice(start, start + size)
            yield part, self._spectra(frames[part])

    def _spectra(self, frames: torch.Tensor) -> torch.Tensor:
        if self.remove_dc:
            frames = frames - frames.mean(dim=1, keepdim=True)
        if self.preemphasis and self.within_frames:
            first = frames[:, :1] * (1 - self.preemphasis)
            rest = torch.sub(frames[:, 1:], frames[:, :-1], alpha=self.preemphasis)
            frames = torch.cat([first, rest], dim=1)
        squares = torch.view_as_real(torch.fft.rfft(frames * self.window, n=self.n_fft)).square_()
        # Adding two views is several times faster than a sum over an axis of two.
        spectra = torch.add(squares[..., 0], squares[..., 1])
        if self.power == 2:
            return spectra
        return spectra.sqrt_() if self.power == 1 else spectra.pow_(self.power / 2)


def _pad(waveform: np.ndarray, before: int, after: int, mode: str = "constant") -> np.ndarray:
    if mode != "constant":
        return np.pad(waveform, (before, after), mode=mode)  # type: ignore[call-overload]
    # On short signals np.pad spends more time on its arguments than on the samples.
    padded = np.zeros(before + len(waveform) + after, dtype=waveform.dtype)
    padded[before : before + len(waveform)] = waveform
    return padded
