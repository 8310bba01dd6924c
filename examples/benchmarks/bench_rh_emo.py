"""
Memory and time of RH-emo
=========================

Peak of resident memory and CPU time per step of training the network of full size, 134
million weights, and of turning utterances into its maps, on one thread::

    python examples/benchmarks/bench_rh_emo.py

Each is measured in a process of its own, on made spectrograms of 129 bins and 501
frames, which is 4 s of speech. GB are 1e9 bytes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _timing import peak_memory
from skorch.callbacks import Callback

import serkit
from serkit.neural_network import RHEmoTransformer

N_BINS, N_FRAMES, BATCH = 129, 501, 20


class Steps(Callback):
    """Write down the CPU time of steps of training."""

    seconds: list[list[float]] = []  # noqa: RUF012  # copies of the callback share it

    def on_train_begin(self, net, **_):
        """Begin a stage."""
        self.seconds.append([])

    def on_batch_begin(self, net, training, **_):
        """Begin a step."""
        self.start = time.process_time()

    def on_batch_end(self, net, training, **_):
        """End a step."""
        if training:
            self.seconds[-1].append(time.process_time() - self.start)


def memory() -> float:
    """Return the memory that this process has now, in GB, which it does not give back."""
    if not Path("/proc/self/statm").exists():
        return peak_memory()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e9


def made_spectrograms(n_utterances: int) -> np.ndarray:
    """Return magnitudes as of a `Spectrogram` of 4 s."""
    rng = np.random.default_rng(0)
    X = np.empty((n_utterances, 1, N_BINS, N_FRAMES), dtype=np.float32)
    for row in X:
        rng.standard_exponential(out=row, dtype=np.float32)
    return X


def write_fitted(file: str) -> None:
    """Write a transformer of full size to a file."""
    options = {"max_epochs": 1, "patience": None, "device": "cpu", "random_state": 0}
    serkit.save(RHEmoTransformer(**options).fit(made_spectrograms(4)), file)


def measure_fit(n_utterances: int) -> None:
    """Train both stages for two epochs, which includes keeping the best weights."""
    X = made_spectrograms(n_utterances)
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"emotion": rng.choice(["anger", "joy", "neutral", "sadness"], len(X))})
    for dimension in ("valence", "arousal", "dominance"):
        labels[dimension] = rng.uniform(1, 5, len(X))
    speakers = np.arange(len(X)) % 6
    before = memory()
    rh_emo = RHEmoTransformer(
        max_epochs=2, patience=None, callbacks=[Steps()], device="cpu", random_state=0
    )
    rh_emo.fit(X, labels, speakers=speakers)
    print(f"  fit, {len(X)} utterances        peak {peak_memory():.2f} GB, {before:.2f} GB before")
    for stage, seconds in enumerate(Steps.seconds, start=1):
        print(f"  step of stage {stage}, batch of {BATCH}  {np.median(seconds):.2f} s")


def measure_transform(file: str, n_utterances: int) -> None:
    """Make maps of some utterances."""
    rh_emo = serkit.load(file).set_params(device="cpu")
    X = made_spectrograms(n_utterances)
    rh_emo.transform(X[:1])
    before = memory()
    start = time.process_time()
    maps = rh_emo.transform(X)
    seconds = time.process_time() - start
    print(
        f"  transform, {len(X)} utterances  peak {peak_memory():.2f} GB, {before:.3f} GB before, "
        f"{memory():.3f} GB behind, of which {maps.nbytes / 1e9:.3f} GB are maps; "
        f"{1e3 * seconds / len(X):.1f} ms each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[1])
    parser.add_argument("--data", help="not used")
    parser.add_argument("--fit", type=int, help="measure training on so many utterances, no more")
    parser.add_argument("--write", metavar="FILE", help="write a fitted one, no more")
    parser.add_argument("--transform", nargs=2, metavar=("FILE", "N"), help="the same of maps")
    arguments = parser.parse_args()
    if arguments.fit:
        measure_fit(arguments.fit)
    elif arguments.write:
        write_fitted(arguments.write)
    elif arguments.transform:
        measure_transform(arguments.transform[0], int(arguments.transform[1]))
    else:
        print("RH-emo of 134 million weights, one thread:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "rh_emo.safetensors")
            transforms = [["--transform", file, n] for n in ("100", "500")]
            # This process stays small, for its peak would be taken for theirs.
            for work in (["--fit", "120"], ["--write", file], *transforms):
                subprocess.run([sys.executable, __file__, *work], check=True)


if __name__ == "__main__":
    main()
