"""
Ten thousand files
==================

Files per CPU second and memory of ``iter_predictions`` over a folder of short files,
and over one long recording in windows. Memory is what the process holds at the
time, beyond what it held when the model was ready; it has to stay flat::

    python examples/benchmarks/bench_inference.py [--data EMODB] [--n-files 10000]

The files are links to a few utterances, so a disk is not what is measured.
"""

import argparse
import itertools
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import MFCC, FrameScaler, LogMelSpectrogram, TemporalPooling
from serkit.inference import OnnxClassifier, export_onnx, iter_predictions
from serkit.neural_network import CRNNClassifier
from serkit.preprocessing import AudioLoader

RATE = 16000
N_TRAIN = 16
N_LINKED = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of Emo-DB; made speech without it")
    parser.add_argument("--n-files", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=60, help="length of the long recording")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sources = find_files(arguments.data) if arguments.data else make_files(Path(made, "source"))
        folder = link(sources, Path(made, "files"), arguments.n_files)
        recording = make_recording(sources, Path(made, "long.flac"), arguments.minutes)
        seconds = np.mean([soundfile.info(source).duration for source in sources])
        print(f"{arguments.n_files} files of {seconds:.1f} s on average\n")
        for name, model in models(sources[:N_TRAIN]).items():
            print(f"{name}, a folder")
            measure(iter_predictions(model, folder))
            print(f"{name}, {arguments.minutes:g} minutes in windows of 3 s, every 1 s")
            measure(
                iter_predictions(model, recording, window_length=3 * RATE, hop_length=RATE),
            )
            if "CRNN" in name:
                compare_with_onnx(model, sources, Path(made, "network.onnx"))


def models(files):
    y = np.arange(len(files)) % 2
    network = CRNNClassifier(max_epochs=1, random_state=0)
    return {
        "MFCC statistics + logistic regression": make_pipeline(
            AudioLoader(RATE), MFCC(), TemporalPooling(), StandardScaler(), LogisticRegression()
        ).fit(files, y),
        "log-mel + CRNN": make_pipeline(
            AudioLoader(RATE), LogMelSpectrogram(n_mels=40), FrameScaler(), network
        ).fit(files, y),
    }


def measure(tables):
    """Print what a run needs, at ten points on its way."""
    process = psutil.Process()
    before, start = process.memory_info().rss, time.process_time()
    points, n_rows, peak = [], 0, 0.0
    for table in tables:
        n_rows += len(table)
        grown = (process.memory_info().rss - before) / 1e6
        peak = max(peak, grown)
        points.append((n_rows, grown))
    seconds = time.process_time() - start
    shown = [points[int(place)] for place in np.linspace(0, len(points) - 1, 10)]
    print("  rows ", " ".join(f"{rows:7d}" for rows, _ in shown))
    print("  MB   ", " ".join(f"{grown:7.1f}" for _, grown in shown))
    print(f"  {n_rows / seconds:.0f} rows per CPU second, at most {peak:.1f} MB more\n")


def compare_with_onnx(model, files, path):
    """Print the time of the network and of its ONNX file, on the same frames."""
    export_onnx(model, path)
    onnx = OnnxClassifier(path)
    frames = model[:2].transform(files)
    rivals = {"serkit": model[2:].predict_proba, "onnxruntime": onnx.predict_proba}
    seconds = dict.fromkeys(rivals, np.inf)
    for _ in range(5):
        for name, predict in rivals.items():
            start = time.process_time()
            predict(frames)
            seconds[name] = min(seconds[name], time.process_time() - start)
    times = ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items())
    print(f"CRNN on the frames of {len(files)} files, one thread: {times}\n")


def find_files(folder):
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))
    return paths[:: max(1, len(paths) // N_LINKED)][:N_LINKED]


def make_files(folder):
    folder.mkdir()
    corpus = make_emotional_speech(4, n_sentences=4, random_state=0)
    paths = []
    for row, waveform in enumerate(list(corpus.audio)[:N_LINKED]):
        paths.append(folder / f"{row}.wav")
        soundfile.write(paths[-1], waveform, corpus.sampling_rate)
    return paths


def link(sources, folder, n_files):
    folder.mkdir()
    for number in range(n_files):
        source = sources[number % len(sources)]
        (folder / f"{number:06d}{source.suffix}").symlink_to(source.resolve())
    return folder


def make_recording(sources, path, minutes):
    waveforms = AudioLoader(RATE).transform(sources)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        left = int(minutes * 60 * RATE)
        for waveform in itertools.cycle(waveforms):
            file.write(waveform[:left])
            left -= len(waveform)
            if left <= 0:
                break
    return path


if __name__ == "__main__":
    main()
