"""
openSMILE against the raw call
==============================

CPU time of :class:`~serkit.feature_extraction.OpenSmileFunctionals` and of
``opensmile.Smile.process_signal`` on the same waveforms, one thread::

    python examples/benchmarks/bench_opensmile.py --data path/to/emodb
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import opensmile
from _timing import best_of, print_ratios

from serkit.datasets import load_emodb, make_emotional_speech
from serkit.feature_extraction import OpenSmileFunctionals
from serkit.preprocessing import AudioLoader

RATE = 16000


def load(folder: Path | None, n_files: int) -> list[np.ndarray]:
    """Read files of Emo-DB from all over the corpus, or make speech."""
    corpus = make_emotional_speech(random_state=0) if folder is None else load_emodb(folder)
    audio = corpus.audio[:: max(1, len(corpus) // n_files)][:n_files]
    return list(AudioLoader(RATE).transform(audio))


def raw(feature_set: str, waveforms: list[np.ndarray]) -> Callable[[], list]:
    smile = opensmile.Smile(opensmile.FeatureSet[feature_set])
    return lambda: [smile.process_signal(waveform, RATE) for waveform in waveforms]


def ours(feature_set: str, waveforms: list[np.ndarray]) -> Callable[[], np.ndarray]:
    transformer = OpenSmileFunctionals(feature_set, sampling_rate=RATE)
    return lambda: transformer.transform(waveforms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of Emo-DB; default: made speech")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()

    waveforms = load(args.data, args.files)
    duration = sum(map(len, waveforms)) / RATE
    print(f"{len(waveforms)} files, {duration:.0f} s of audio, one thread; CPU time")
    for feature_set in ("eGeMAPSv02", "ComParE_2016"):
        rivals = {"raw": raw(feature_set, waveforms), "serkit": ours(feature_set, waveforms)}
        seconds = best_of(rivals, args.repeats)
        print_ratios(feature_set, seconds, reference="raw", duration=duration)
        print(f"  serkit takes {seconds['serkit'] / seconds['raw']:.3f} of the raw call")


if __name__ == "__main__":
    main()
