"""Waveform to waveform, and speaker-wise scaling of functionals."""

from serkit.preprocessing._wiener import WienerFilter

__all__ = ["WienerFilter"]
