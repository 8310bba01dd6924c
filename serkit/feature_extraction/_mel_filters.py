"""Triangular filters on the mel scale."""

from functools import lru_cache

import numpy as np

__all__ = ["hz_to_mel", "mel_filters", "mel_to_hz"]

# Slaney's scale is linear below 1000 Hz and logarithmic above.
_SLANEY_STEP = 200 / 3
_SLANEY_CORNER = 1000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27


def hz_to_mel(frequencies: np.ndarray, mel_scale: str) -> np.ndarray:
    """Convert Hz to mel.

    Parameters
    ----------
    frequencies : array-like
        Frequencies in Hz.
    mel_scale : {"slaney", "htk", "kaldi"}
        Linear below 1000 Hz and logarithmic above; or 2595 log10(1 + f / 700),
        as in HTK; or 1127 ln(1 + f / 700), which is nearly the same.

    Returns
    -------
    mels : ndarray
    """
    frequencies = np.asarray(frequencies, dtype=np.float64)
    if mel_scale == "htk":
        return 2595.0 * np.log10(1.0 + frequencies / 700.0)
    if mel_scale == "kaldi":
        return 1127.0 * np.log1p(frequencies / 700.0)
    above = np.log(np.maximum(frequencies, _SLANEY_CORNER) / _SLANEY_CORNER) / _SLANEY_LOG_STEP
    return np.minimum(frequencies, _SLANEY_CORNER) / _SLANEY_STEP + above


def mel_to_hz(mels: np.ndarray, mel_scale: str) -> np.ndarray:
    """Convert mel to Hz, the inverse of :func:`hz_to_mel`.

    Parameters
    ----------
    mels : array-like
        Values on the mel scale.
    mel_scale : {"slaney", "htk", "kaldi"}
        Which scale.

    Returns
    -------
    frequencies : ndarray
        In Hz.
    """
    mels = np.asarray(mels, dtype=np.float64)
    if mel_scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    if mel_scale == "kaldi":
        return 700.0 * np.expm1(mels / 1127.0)
    corner = _SLANEY_CORNER / _SLANEY_STEP
    above = np.exp(_SLANEY_LOG_STEP * np.maximum(mels - corner, 0.0))
    return np.minimum(mels, corner) * _SLANEY_STEP * above


@lru_cache(maxsize=32)
def mel_filters(
    sampling_rate: int,
    n_fft: int,
    n_mels: int,
    f_min: float,
    f_max: float,
    mel_scale: str,
    norm: str | None,
) -> np.ndarray:
    """Return triangular filters, equally spaced on a mel scale.

    On Kaldi's scale the filters are triangles over mel, on the others over Hz.

    Parameters
    ----------
    sampling_rate : int
        Sampling rate in Hz.
    n_fft : int
        Length of the Fourier transform.
    n_mels : int
        Number of filters.
    f_min, f_max : float
        Where the first filter begins and the last one ends, in Hz.
    mel_scale : {"slaney", "htk", "kaldi"}
        Which scale.
    norm : {"slaney"} or None
        Give all filters the area that Slaney's toolbox gives them, or the peak 1.

    Returns
    -------
    filters : ndarray of shape (n_mels, n_fft // 2 + 1), float32
        Do not change it: it is shared.
    """
    low, high = hz_to_mel(np.array([f_min, f_max]), mel_scale)
    mels = np.linspace(low, high, n_mels + 2)
    edges = mel_to_hz(mels, mel_scale)
    bins = np.fft.rfftfreq(n_fft, 1 / sampling_rate)
    if mel_scale == "kaldi":
        corners, positions = mels, hz_to_mel(bins, mel_scale)
    else:
        corners, positions = edges, bins
    distance = positions - corners[:, None]
    width = np.diff(corners)[:, None]
    rising, falling = distance[:-2] / width[:-1], -distance[2:] / width[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    if norm == "slaney":
        filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)
