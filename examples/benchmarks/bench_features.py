"""
Features against librosa and torchaudio
=======================================

CPU time of spectrograms, log-mel spectrograms and cepstral coefficients on one
thread, all rivals in one run on the same waveforms::

    python examples/benchmarks/bench_features.py --data path/to/emodb
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from _timing import best_of, print_ratios
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import (
    MFCC,
    Deltas,
    KaldiFilterbankPitch,
    LogMelSpectrogram,
    Spectrogram,
)

try:
    from torchaudio import transforms as torchaudio
except (ImportError, OSError):  # Its binary part may not fit the installed torch.
    torchaudio = None

RATE = 16000
FRAMES = {"n_fft": 1024, "hop_length": 256}

Rivals = dict[str, Callable[[], object]]


def load(folder: Path | None, n_files: int) -> list[np.ndarray]:
    """Read the first files below a folder, or make noise of the same lengths."""
    if folder is None:
        rng = np.random.default_rng(0)
        lengths = rng.integers(RATE, 5 * RATE, n_files)
        return [rng.uniform(-0.5, 0.5, length).astype(np.float32) for length in lengths]
    files = sorted(file for kind in ("wav", "flac") for file in folder.rglob(f"*.{kind}"))
    waveforms = []
    for file in files[:n_files]:
        waveform, rate = soundfile.read(file, dtype="float32")
        waveforms.append(waveform if rate == RATE else librosa.resample(waveform, rate, RATE))
    return waveforms


def each(function: Callable, waveforms: list) -> Callable[[], list]:
    """Apply a function of one waveform to all of them."""

    def apply() -> list:
        with torch.inference_mode():
            return [function(waveform) for waveform in waveforms]

    return apply


def spectrogram(X: list[np.ndarray]) -> Rivals:
    serkit = Spectrogram(**FRAMES)
    rivals: Rivals = {
        "librosa": each(lambda x: np.abs(librosa.stft(x, **FRAMES)) ** 2, X),
        "serkit": lambda: serkit.transform(X),
    }
    if torchaudio:
        rivals["torchaudio"] = each(torchaudio.Spectrogram(**FRAMES), tensors(X))
    return rivals


def log_mel(X: list[np.ndarray], n_mels: int) -> Rivals:
    settings = {"n_mels": n_mels, **FRAMES}
    serkit = LogMelSpectrogram(**settings)

    def by_librosa(x: np.ndarray) -> np.ndarray:
        return librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=RATE, **settings))

    rivals: Rivals = {"librosa": each(by_librosa, X), "serkit": lambda: serkit.transform(X)}
    if torchaudio:
        mel = torchaudio.MelSpectrogram(RATE, **settings)
        decibels = torchaudio.AmplitudeToDB(top_db=80)
        rivals["torchaudio"] = each(lambda x: decibels(mel(x)), tensors(X))
    return rivals


def mfcc(X: list[np.ndarray]) -> Rivals:
    serkit = MFCC(n_mfcc=40, **FRAMES)
    rivals: Rivals = {
        "librosa": each(lambda x: librosa.feature.mfcc(y=x, sr=RATE, n_mfcc=40, **FRAMES), X),
        "serkit": lambda: serkit.transform(X),
    }
    if torchaudio:
        rivals["torchaudio"] = each(torchaudio.MFCC(RATE, 40, melkwargs=FRAMES), tensors(X))
    return rivals


def mfcc_deltas(X: list[np.ndarray]) -> Rivals:
    serkit = make_pipeline(MFCC(n_mfcc=40, **FRAMES), Deltas(order=2))

    def by_librosa(x: np.ndarray) -> np.ndarray:
        static = librosa.feature.mfcc(y=x, sr=RATE, n_mfcc=40, **FRAMES)
        deltas = (librosa.feature.delta(static, order=order) for order in (1, 2))
        return np.stack([static, *deltas])

    rivals: Rivals = {"librosa": each(by_librosa, X), "serkit": lambda: serkit.transform(X)}
    if torchaudio:
        transform, delta = torchaudio.MFCC(RATE, 40, melkwargs=FRAMES), torchaudio.ComputeDeltas(9)

        def by_torchaudio(x: torch.Tensor) -> torch.Tensor:
            static = transform(x)
            first = delta(static)
            return torch.stack([static, first, delta(first)])

        rivals["torchaudio"] = each(by_torchaudio, tensors(X))
    return rivals


def kaldi(X: list[np.ndarray]) -> Rivals:
    without = KaldiFilterbankPitch(use_pitch=False, use_nccf=False)
    complete = KaldiFilterbankPitch()
    return {
        "serkit, filterbank, energy": lambda: without.transform(X),
        "serkit, with pitch": lambda: complete.transform(X),
    }


def tensors(X: list[np.ndarray]) -> list[torch.Tensor]:
    return [torch.from_numpy(x) for x in X]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[1])
    parser.add_argument("--data", type=Path, help="folder with WAV or FLAC files; default: noise")
    parser.add_argument("--files", type=int, default=90)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    X = load(args.data, args.files)
    duration = sum(map(len, X)) / RATE
    print(f"{len(X)} files, {duration:.0f} s of audio, {args.threads} thread(s); CPU time")
    settings = "n_fft 1024, hop 256"
    tables = {
        f"Spectrogram, {settings}": (spectrogram(X), "librosa"),
        f"Log-mel 40, {settings}": (log_mel(X, 40), "librosa"),
        f"Log-mel 128, {settings}": (log_mel(X, 128), "librosa"),
        f"MFCC 40, {settings}": (mfcc(X), "librosa"),
        f"MFCC 40 with first and second deltas, {settings}": (mfcc_deltas(X), "librosa"),
        "Kaldi filterbank 40, window 640, hop 160": (kaldi(X), None),
    }
    for title, (rivals, reference) in tables.items():
        seconds = best_of(rivals, args.repeats)
        print_ratios(title, seconds, reference=reference, duration=duration)


if __name__ == "__main__":
    main()
