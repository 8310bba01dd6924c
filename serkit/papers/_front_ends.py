"""How papers make spectrograms of speech."""

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.preprocessing import AudioLoader, HighPassFilter, PreEmphasis

__all__ = ["LOG_MELS", "make_front_end"]

#: Windows of 25 ms every 10 ms, 40 bands, at 16 kHz.
LOG_MELS: dict[str, Any] = {
    "n_mels": 40,
    "n_fft": 512,
    "win_length": 400,
    "hop_length": 160,
    "window": "hamming",
}

_LOADER = ("loader", AudioLoader(16000))
_STANDARDIZER = ("scaler", FrameScaler(per="all"))
_POWER_LAW = 2 / 3

#: Nothing in here is fitted: every caller gets clones.
_FRONT_ENDS: dict[str, list[tuple[str, Any]]] = {
    "guizzo2023-omg": [
        _LOADER,
        ("high_pass", HighPassFilter(cutoff=100.0, order=8)),
        ("pre_emphasis", PreEmphasis(0.5)),
        # The thesis does not name the window.
        ("spectrogram", Spectrogram(256, hop_length=160, window="hann", power=_POWER_LAW)),
        _STANDARDIZER,
    ],
    "guizzo2023-mts": [
        _LOADER,
        ("spectrogram", Spectrogram(320, hop_length=160, window="hann", power=1.0)),
        _STANDARDIZER,
    ],
    "guizzo2023-mts-code": [
        _LOADER,
        ("spectrogram", Spectrogram(1024, hop_length=512, window="hann", power=_POWER_LAW)),
        _STANDARDIZER,
    ],
    "guizzo2023-at": [
        _LOADER,
        ("spectrogram", Spectrogram(256, hop_length=128, window="hamming", power=1.0)),
        _STANDARDIZER,
    ],
    "guizzo2023-rhemo": [
        _LOADER,
        (
            "spectrogram",
            Spectrogram(256, hop_length=128, window="hamming", power=1.0, drop_nyquist=True),
        ),
        ("scaler", FrameScaler(method="max", per="all", clip=True)),
    ],
}


def make_front_end(name: str, **changes: Any) -> Pipeline:
    """Make the steps from speech to the spectrograms that a paper works with.

    Parameters
    ----------
    name : str
        Which; all are for speech at 16 kHz.

        - "guizzo2023-omg": high-pass filter, pre-emphasis, windows of 16 ms
          every 10 ms, power law, for valence over time.
        - "guizzo2023-mts": windows of 20 ms every 10 ms, for multi-time-scale
          convolution, by the text of the thesis.
        - "guizzo2023-mts-code": windows of 64 ms every 32 ms and power law, the
          same by its program, which the sizes of its networks confirm.
        - "guizzo2023-at": windows of 16 ms every 8 ms, for anti-transfer.
        - "guizzo2023-rhemo": the same without the last bin, in [0, 1], for the
          quaternion embedding.
    **changes : object
        Parameters of steps, such as ``spectrogram__hop_length=256``, or steps
        by name: ``scaler="passthrough"``.

    Returns
    -------
    front_end : Pipeline
        Unfitted, from audio files or waveforms to frames of one channel. The
        steps are "loader", "spectrogram" and "scaler", for "guizzo2023-omg"
        "high_pass" and "pre_emphasis" too.

    Raises
    ------
    ValueError
        If there is none of that name, or it has no such step or parameter.

    See Also
    --------
    serkit.feature_extraction.CachedTransformer : Remembers what all steps but the
        last give for an utterance.
    serkit.neural_network.SegmentAggregationClassifier : Cuts utterances into
        segments before they come here.

    Notes
    -----
    The scaler has one mean and one standard deviation for all bins, of the
    training set, or its largest value. So a constant factor makes no difference,
    and the emphasis (2x(t) - x(t-1)) / 3 of the thesis is a pre-emphasis by 0.5.

    Frames are centred on their samples, with zeros beyond both ends: 1, 4 and 6
    seconds are 126, 501 and 751 frames every 8 ms. Audio with labels at 25 Hz gives
    "guizzo2023-omg" four frames per label and one more: drop the last before frames
    and labels are cut into slices.

    A pipeline that may hold samplers takes the steps one by one, ``[*front_end.steps,
    ("net", network)]``.

    References
    ----------
    .. [1] E. Guizzo, "Enhancing the Generalization of Convolutional Neural Networks
       for Speech Emotion Recognition", PhD thesis, City, University of London,
       2023, sections 3.2.1, 4.3, 5.3.2 and 6.2.4.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.papers import make_front_end
    >>> corpus = make_emotional_speech(2, n_sentences=1, random_state=0)
    >>> frames = make_front_end("guizzo2023-mts").fit_transform(corpus.audio)
    >>> frames[0].shape[:2]
    (1, 161)
    """
    if name not in _FRONT_ENDS:
        raise ValueError(f"there is no front end {name!r}; there are {', '.join(_FRONT_ENDS)}")
    return clone(Pipeline(_FRONT_ENDS[name])).set_params(**changes)
