"""
What the cache saves
====================

Wall time of a leave-one-speaker-out cross-validation (eGeMAPSv02, linear SVM)
with an empty and with a filled cache, each in a process of its own, and how the
peak of memory grows with the number of files::

    python examples/benchmarks/bench_cache.py --data path/to/emodb
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import Corpus, load_emodb, make_emotional_speech
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.preprocessing import AudioLoader

N_FILES = (100, 200, 400)


def load(folder: str | None) -> Corpus:
    if folder:
        return load_emodb(folder)
    return make_emotional_speech(n_sentences=10, random_state=0)


def cross_validate(folder: str | None, location: str) -> dict[str, float]:
    """Run the cross-validation and say how long it took, with and without the SVM."""
    corpus = load(folder)
    X, y, speakers = corpus.audio, corpus.y, corpus.speakers
    steps = make_pipeline(AudioLoader(16000), OpenSmileFunctionals("eGeMAPSv02"))
    features = CachedTransformer(steps, location)
    classifier = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.01))
    start = time.perf_counter()
    predicted = cross_val_predict(
        make_pipeline(features, classifier), X, y, groups=speakers, cv=LeaveOneGroupOut()
    )
    total = time.perf_counter() - start
    functionals = features.fit_transform(X)
    start = time.perf_counter()
    cross_val_predict(classifier, functionals, y, groups=speakers, cv=LeaveOneGroupOut())
    return {
        "total": total,
        "svm": time.perf_counter() - start,
        "uar": recall_score(y, predicted, average="macro"),
    }


def measure_memory(folder: str | None, n_files: int, fused: bool) -> dict[str, float]:
    """Return what the peak of memory rises by, beyond the returned array, in MB."""
    audio = load(folder).audio[:n_files]
    steps = make_pipeline(AudioLoader(16000), MFCC(), TemporalPooling())
    transformer = CachedTransformer(steps) if fused else steps
    transformer.fit_transform(audio[:1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    functionals = transformer.transform(audio)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak": (after - before) / 1024 - functionals.nbytes / 2**20}


def in_fresh_process(*arguments: object) -> dict[str, float]:
    """Run this script with arguments and return what it prints, and its whole time."""
    start = time.perf_counter()
    command = [sys.executable, __file__, *map(str, arguments)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {**json.loads(printed), "process": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--data", help="folder of Emo-DB; default: made speech")
    parser.add_argument("--cross-validate", metavar="CACHE", help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=int, metavar="N_FILES", help=argparse.SUPPRESS)
    parser.add_argument("--fused", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cross_validate:
        print(json.dumps(cross_validate(args.data, args.cross_validate)))
        return
    if args.memory:
        print(json.dumps(measure_memory(args.data, args.memory, args.fused)))
        return

    data = ["--data", args.data] if args.data else []
    print("Leave one speaker out, eGeMAPSv02, linear SVM; wall time in fresh processes")
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = (in_fresh_process("--cross-validate", folder, *data) for _ in range(2))
    for name, run in (("empty cache", cold), ("filled cache", warm)):
        print(
            f"  {name:<14}{run['total']:8.2f} s, the SVM alone {run['svm']:.2f} s, the process "
            f"{run['process']:.2f} s; UAR {run['uar']:.3f}"
        )
    print(
        f"  {cold['total'] / warm['total']:.1f} x; whole processes "
        f"{cold['process'] / warm['process']:.1f} x"
    )
    print("MFCC statistics of n files: rise of the peak of memory beyond the result")
    for name, options in (("Pipeline", []), ("CachedTransformer", ["--fused"])):
        peaks = [in_fresh_process("--memory", n, *options, *data)["peak"] for n in N_FILES]
        figures = ", ".join(f"{n}: {peak:.1f} MB" for n, peak in zip(N_FILES, peaks, strict=True))
        print(f"  {name:<20}{figures}")


if __name__ == "__main__":
    main()
