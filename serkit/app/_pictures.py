"""Pictures of one recording: waveform, log-mel spectrogram, attention."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from serkit.feature_extraction import LogMelSpectrogram
from serkit.inspection import AttentionDisplay, GradCAMDisplay
from serkit.utils import AudioSegment, as_ragged

__all__ = ["attention", "waveform_and_mel"]

_MOST_POINTS = 4000


def waveform_and_mel(waveform: np.ndarray, rate: int) -> Figure:
    """Draw a waveform, and its log-mel spectrogram below it, over the same seconds."""
    figure = Figure(figsize=(7, 4), layout="constrained", dpi=140)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
    seconds = len(waveform) / rate
    # The extremes of short pieces look as all samples do.
    n_pieces = max(1, min(_MOST_POINTS // 2, len(waveform)))
    pieces = np.array_split(waveform, n_pieces)
    time = np.linspace(0, seconds, n_pieces)
    lows, highs = ([f(piece) for piece in pieces] for f in (np.min, np.max))
    above.fill_between(time, lows, highs, color="#0072B2", linewidth=0.6, edgecolor="#0072B2")
    above.set(ylabel="amplitude", xlim=(0, seconds))
    hop_length = max(rate // 100, len(waveform) // _MOST_POINTS, 1)
    n_fft = 2 ** int(np.ceil(np.log2(max(0.032 * rate, 16))))
    mel = LogMelSpectrogram(
        sampling_rate=rate, n_fft=n_fft, hop_length=hop_length, n_mels=64 if rate > 4000 else 16
    )
    (frames,) = mel.fit_transform(as_ragged([waveform]))
    extent = (0, seconds, 0, frames.shape[-2])
    below.imshow(frames[0], origin="lower", aspect="auto", extent=extent, cmap="magma")
    below.set(xlabel="time, s", ylabel="mel band")
    for ax in (above, below):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def attention(model: Any, item: AudioSegment) -> tuple[Figure, str]:
    """Draw what a network attends to; where none attends over time, what its convolutions see.

    Returns
    -------
    figure : matplotlib Figure
    words : str
        What is drawn.
    """
    figure = Figure(figsize=(7, 2.8), layout="constrained", dpi=140)
    ax = figure.subplots()
    audio = as_ragged([item])
    try:
        AttentionDisplay.from_estimator(model, audio, background="waveform", ax=ax)
        return figure, (
            "The weight of every part of the utterance; dotted: where all would be equal. Time is "
            "that of the audio that the network gets, without silence that the pipeline cuts off."
        )
    except TypeError as error:
        no_attention = error
    try:
        display = GradCAMDisplay.from_estimator(model, audio, ax=ax)
    except (TypeError, ValueError, AttributeError):
        raise no_attention from None
    if not np.any(display.weights):
        return figure, (
            "This network has no attention over time, and Grad-CAM finds nothing in its input that "
            "speaks for the predicted emotion: all weights are 0. Drawn is the input alone."
        )
    return figure, (
        "This network has no attention over time. Drawn is Grad-CAM: the frames and bins of its "
        "input that speak most for the predicted emotion, the redder the more."
    )
