"""Time the preprocessing of serkit beside the functions that it equals.

``python examples/benchmarks/bench_preprocessing.py [--data EMODB]``
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import librosa
import numpy as np
import scipy.signal
import soundfile
from _timing import best_of, print_ratios

from serkit.preprocessing import AudioLoader, Resampler, SilenceTrimmer, WienerFilter

N_FILES = 50
RATE = 16000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of Emo-DB; noise in bursts without it")
    folder = parser.parse_args().data
    with tempfile.TemporaryDirectory() as made:
        paths = find_files(folder) if folder else make_files(Path(made))
        seconds = sum(soundfile.info(path).duration for path in paths)
        print(f"{len(paths)} files, {seconds:.0f} s\n")
        waveforms = list(AudioLoader(RATE).transform(paths))
        for title, rival, theirs, ours in [*loading(paths), *processing(waveforms)]:
            print_ratios(
                title, best_of({rival: theirs, "serkit": ours}), reference=rival, duration=seconds
            )


def find_files(folder):
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))
    return paths[:: max(1, len(paths) // N_FILES)][:N_FILES]


def make_files(folder):
    rng = np.random.default_rng(0)
    paths = [folder / f"{i:02d}.wav" for i in range(N_FILES)]
    for path in paths:
        envelope = np.repeat([0.0, 0.3, 0.03, 0.3, 0.0], 8000)
        soundfile.write(path, 0.3 * envelope * rng.normal(size=len(envelope)), RATE)
    return paths


def loading(paths):
    """Yield what to compare: a title, the rival's name, the rival, and ours."""
    for rate in (soundfile.info(paths[0]).samplerate, 8000):
        loader = AudioLoader(rate)
        yield (
            f"Load files at {rate} Hz",
            "librosa.load",
            lambda rate=rate: [librosa.load(path, sr=rate) for path in paths],
            lambda loader=loader: loader.transform(paths),
        )


def processing(waveforms):
    """Yield what to compare, for waveforms in memory."""
    np.seterr(divide="ignore", invalid="ignore")  # scipy's filter divides by zero on silence

    def each(function):
        return lambda: [function(waveform) for waveform in waveforms]

    def ours(transformer):
        return lambda: transformer.transform(waveforms)

    yield (
        "Resample 16 kHz to 8 kHz",
        "librosa.resample",
        each(lambda x: librosa.resample(x, orig_sr=RATE, target_sr=8000)),
        ours(Resampler(RATE, target_sampling_rate=8000)),
    )
    yield (
        "Trim silence",
        "librosa.effects.trim",
        each(lambda x: librosa.effects.trim(x, top_db=25)),
        ours(SilenceTrimmer(top_db=25)),
    )
    for size in (3, 29):
        yield (
            f"Wiener filter of size {size}",
            "scipy.signal.wiener",
            each(lambda x, size=size: scipy.signal.wiener(x.astype(np.float64), size)),
            ours(WienerFilter(size)),
        )


if __name__ == "__main__":
    main()
