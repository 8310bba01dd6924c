"""Sets of features by name."""

from typing import Any

__all__ = ["DETAILS", "FRAMES", "FUNCTIONALS", "make_features"]

#: Functionals of openSMILE, by the name that it has for the set.
_SMILE = {
    "egemaps": "eGeMAPSv02",
    "gemaps": "GeMAPSv01b",
    "compare": "ComParE_2016",
    "emobase": "emobase",
    **{f"is{year}": f"IS{year}" for year in ("09", "10", "11", "12", "13")},
}
_SMILE_FRAMES = {"egemaps-lld": "eGeMAPSv02", "compare-lld": "ComParE_2016"}

#: One row per utterance.
FUNCTIONALS = ("mfcc-stats", *_SMILE)
#: One matrix per utterance, as long as this.
FRAMES = ("mfcc", "logmel", *_SMILE_FRAMES)

DETAILS = """\
sets of one row per utterance (a table):
  egemaps      88 functionals of openSMILE, eGeMAPSv02
  compare      6373 functionals of openSMILE, ComParE_2016
  gemaps, emobase, is09, is10, is11, is12, is13: 62, 988, 384, 1582, 4368,
               6125 and 6373 functionals of openSMILE
  mfcc-stats   20 MFCCs and their deltas: mean, deviation, 5th and 95th
               percentile; silence at both ends is cut off

sets of frames (npz only; numpy reads them, see the user guide):
  mfcc, logmel 20 MFCCs, 64 mel bands in dB; windows of 32 ms every 10 ms
  egemaps-lld, compare-lld: descriptors of openSMILE over time
"""


def make_features(name: str, sampling_rate: int) -> Any:
    """Return the steps from files to features, none of which learns anything."""
    from sklearn.pipeline import make_pipeline

    from serkit.preprocessing import AudioLoader

    return make_pipeline(AudioLoader(sampling_rate), *_steps(name, sampling_rate))


def _steps(name: str, sampling_rate: int) -> list[Any]:
    from serkit import feature_extraction as made
    from serkit.preprocessing import SilenceTrimmer

    if name in _SMILE:
        return [made.OpenSmileFunctionals(_SMILE[name], sampling_rate=sampling_rate)]
    if name in _SMILE_FRAMES:
        return [made.OpenSmileDescriptors(_SMILE_FRAMES[name], sampling_rate=sampling_rate)]
    windows = {
        "n_fft": round(0.032 * sampling_rate),
        "hop_length": round(0.01 * sampling_rate),
        "sampling_rate": sampling_rate,
    }
    if name == "logmel":
        return [made.LogMelSpectrogram(n_mels=64, **windows)]
    mfcc = made.MFCC(n_mfcc=20, **windows)
    if name == "mfcc":
        return [mfcc]
    statistics = made.TemporalPooling(("mean", "std", "p5", "p95"))
    return [SilenceTrimmer(), mfcc, made.Deltas(), statistics]
