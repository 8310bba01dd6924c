"""Scores of classical pipelines on real corpora, under the protocols of the documentation.

``python examples/reference_scores.py --data FOLDER`` prints every table of the page "Results".
FOLDER holds ``emodb``, ``ravdess`` and ``nemo``; those that are missing are passed over. Finished
folds and features are kept in ``--results``, so the command can be stopped and run again.
"""

import argparse
from pathlib import Path

from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_emodb, load_nemo, load_ravdess
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import LogMelSpectrogram, OpenSmileFunctionals, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.preprocessing import AudioLoader, SpeakerStandardizer

LOADERS = {"emodb": load_emodb, "ravdess": load_ravdess, "nemo": load_nemo}
TUNED_C = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}


def svm(*features, scaler=None):
    return make_pipeline(
        AudioLoader(), *features, scaler or StandardScaler(), SVC(kernel="linear", C=0.1)
    )


def openSMILE(feature_set, **options):  # noqa: N802
    return svm(OpenSmileFunctionals(feature_set), **options)


def log_mel():
    return svm(
        LogMelSpectrogram(n_mels=40, n_fft=512, hop_length=160), TemporalPooling(("mean", "std"))
    )


FEATURES = {
    "ComParE_2016 + SVM": openSMILE("ComParE_2016"),
    "eGeMAPSv02 + SVM": openSMILE("eGeMAPSv02"),
    "log-mel statistics + SVM": log_mel(),
}


def tuned_on_validation_speakers(corpus, **options):
    """Compare on the folds of Leow (2021): C by UAR of two validation speakers, no refit."""
    cv = load_protocol(f"leow2021-{corpus.name}")
    searches = {
        name: HoldoutSearchCV(pipeline, TUNED_C, cv=cv.inner())
        for name, pipeline in FEATURES.items()
    }
    protocol = "leave two speakers out (Leow 2021), C tuned on two more"
    return compare(corpus, searches, cv=cv, protocol=protocol, **options)


def one_speaker_out(corpus, **options):
    """Compare with C = 0.1, once with the statistics of the test speaker."""
    own = {
        "ComParE_2016, by speaker + SVM": openSMILE("ComParE_2016", scaler=SpeakerStandardizer())
    }
    return compare(corpus, FEATURES | own, cv=LeaveSpeakersOut(1), **options)


def random_folds(corpus, **options):
    """Compare with speakers in both parts: what not to do."""
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    return compare(corpus, FEATURES, cv=cv, allow_speaker_overlap=True, **options)


EXPERIMENTS = {
    "emodb": [tuned_on_validation_speakers, one_speaker_out, random_folds],
    "ravdess": [tuned_on_validation_speakers],
    "nemo": [one_speaker_out, random_folds],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--results", type=Path, default=Path("results/reference"))
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parser.parse_args()
    for name, experiments in EXPERIMENTS.items():
        folder = arguments.data / name
        if not folder.is_dir():
            print(f"{name}: not below {arguments.data}, passed over\n")
            continue
        corpus = LOADERS[name](folder)
        for experiment in experiments:
            print(
                experiment(corpus, results_dir=arguments.results, n_jobs=arguments.n_jobs),
                end="\n\n",
                flush=True,
            )


if __name__ == "__main__":
    main()
