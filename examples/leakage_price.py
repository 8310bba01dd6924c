"""What each leak adds to the scores of one classifier, beside the same done rightly.

``python examples/leakage_price.py --data FOLDER`` prints the tables of "The price of leakage" on
the page "Results", and that of the pitfall "A hidden validation split". FOLDER holds ``emodb`` and
``nemo``; those that are missing are passed over. Finished folds and features are kept in
``--results``, so the command can be stopped and run again.
"""

import argparse
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from joblib import Memory
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import Corpus, load_emodb, load_nemo, make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import (
    CachedTransformer,
    LogMelSpectrogram,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.metrics import uar_score, uar_scorer
from serkit.model_selection import LeaveSpeakersOut, SpeakerHoldout
from serkit.neural_network import MLPClassifier
from serkit.over_sampling import RandomOverSampler
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader, SpeakerStandardizer

LOADERS = {"emodb": load_emodb, "nemo": load_nemo}
LOG_MEL = make_pipeline(
    AudioLoader(),
    LogMelSpectrogram(n_mels=40, n_fft=512, hop_length=160),
    TemporalPooling(("mean", "std")),
)
FEATURES = {
    "smoke": {"log-mel mean and deviation": LOG_MEL},
    "bench": {
        "log-mel mean and deviation": LOG_MEL,
        "eGeMAPSv02": make_pipeline(AudioLoader(), OpenSmileFunctionals("eGeMAPSv02")),
    },
}
C = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
N_CHOSEN = 20
RANDOM_FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
N_EPOCHS = {"smoke": 3, "bench": 60}
N_SEEDS = {"smoke": 1, "bench": 3}


def svm(*steps, C=0.1):
    return make_pipeline(*steps, StandardScaler(), SVC(kernel="linear", C=C))


def twice_the_largest(y):
    """Say how many rows every class is to have: twice as many as the largest has."""
    counts = Counter(y)
    return dict.fromkeys(counts, 2 * max(counts.values()))


class Prices:
    """The scores of one classifier on the features of one corpus, with and without leaks."""

    def __init__(self, corpus, X, results_dir):
        self.corpus, self.X = corpus, X
        self.results_dir = results_dir

    def compare(self, pipelines, *, corpus=None, X=None, cv=None, **options):
        """Compare, by default on these features and with one speaker left out at a time."""
        corpus, X = self.corpus if corpus is None else corpus, self.X if X is None else X
        cv = LeaveSpeakersOut(1) if cv is None else cv
        options = {"results_dir": self.results_dir, "verbose": 0} | options
        return compare(corpus, pipelines, X=X, cv=cv, **options)

    def uar(self, pipeline, **options):
        """Return the UAR of all predictions together."""
        return self.compare({"SVM": pipeline}, **options).table().loc["SVM", "UAR"]

    def table(self):
        """Return a row for every leak: the score without it, and with it."""
        rows = {
            "random folds": self.random_folds(),
            "scaler fitted on all rows": self.scaler(),
            "statistics of the test speaker (transductive)": self.statistics(),
            f"{N_CHOSEN} features chosen on all rows": self.features(),
            "SMOTE on all rows": self.smote(),
            "C tuned on the test speaker": self.tuning(),
            "copies made before random folds": self.copies(),
        }
        table = (pd.DataFrame(rows, index=["without", "with"]).T * 100).round(1)
        table["difference"] = [f"{value:+.1f}" for value in table["with"] - table["without"]]
        return table.rename_axis("leak").reset_index()

    def random_folds(self):
        """Put every test speaker into training too."""
        overlap = {"cv": RANDOM_FOLDS, "allow_speaker_overlap": True}
        return self.uar(svm()), self.uar(svm(), **overlap)

    def scaler(self):
        """Standardise training and test rows together."""
        return self.uar(svm()), self.uar(svm()[1:], X=StandardScaler().fit_transform(self.X))

    def statistics(self):
        """Standardise every speaker, in the test part by other test rows."""
        own = make_pipeline(SpeakerStandardizer(), SVC(kernel="linear", C=0.1))
        return self.uar(svm()), self.uar(own)

    def features(self):
        """Choose features by the labels of all rows."""
        selector = SelectKBest(k=N_CHOSEN)
        chosen = clone(selector).fit_transform(self.X, self.corpus.y)
        return self.uar(svm(selector)), self.uar(svm(), X=chosen)

    def smote(self):
        """Add rows between neighbours, of whom one may be a test row; all go to training."""
        sampler = SMOTE(sampling_strategy=twice_the_largest, random_state=0)
        corpus, X = self.sampled(clone(sampler), speaker="nobody")
        added = np.flatnonzero(corpus.speakers == "nobody")
        real = np.arange(len(self.X))
        folds = [
            (np.concatenate([real[train], added]), real[test])
            for train, test in LeaveSpeakersOut(1).split(real, groups=self.corpus.speakers)
        ]
        return self.uar(svm(sampler)), self.uar(svm(), corpus=corpus, X=X, cv=folds)

    def tuning(self):
        """Choose C in every fold by the score that is reported then."""
        grid = {"svc__C": C}
        search = GridSearchCV(svm(), grid, cv=LeaveSpeakersOut(1), scoring=uar_scorer)
        result = self.compare({str(value): svm(C=value) for value in C})
        best = result.folds.loc[result.folds.groupby("fold")["UAR"].idxmax(), ["fold", "pipeline"]]
        predictions = best.merge(result.predictions, on=["fold", "pipeline"])
        return self.uar(search), uar_score(predictions["y_true"], predictions["y_pred"])

    def copies(self):
        """Repeat rows, of which one copy is trained on and another one is tested."""
        sampler = RandomOverSampler(sampling_strategy=twice_the_largest, random_state=0)
        corpus, X = self.sampled(clone(sampler))
        overlap = {"cv": RANDOM_FOLDS, "allow_speaker_overlap": True}
        return self.uar(svm(sampler), **overlap), self.uar(svm(), corpus=corpus, X=X, **overlap)

    def sampled(self, sampler, *, speaker=None):
        """Return corpus and features with added rows; copies have their speaker."""
        X, y = sampler.fit_resample(self.X, self.corpus.y)
        if speaker is None:
            speakers = self.corpus.speakers[sampler.sample_indices_]
        else:
            speakers = np.append(self.corpus.speakers, [speaker] * (len(X) - len(self.X)))
        silence = [np.zeros(1)] * len(X)  # the features are there already
        table = {"speaker": speakers, "emotion": y}
        return Corpus(table, waveforms=silence, sampling_rate=16000, name=self.corpus.name), X


class HiddenValidation:
    """The scores of a network whose best epoch is chosen on some rows of the training part."""

    def __init__(self, corpus, X, results_dir, *, max_epochs, n_seeds):
        self.corpus, self.X = corpus, X
        self.max_epochs, self.seeds = max_epochs, range(n_seeds)
        self.run = Memory(results_dir / "networks", verbose=0).cache(run_network)

    def table(self):
        """Return a row for every way to hold a fifth of the training part out."""
        rows = {
            "speakers": [self.scores(SpeakerHoldout(0.2, random_state=s), s) for s in self.seeds],
            "rows of training speakers": [
                self.scores(StratifiedShuffleSplit(1, test_size=0.2, random_state=s), s)
                for s in self.seeds
            ],
        }
        columns = ["UAR on them", "UAR on test speakers", "epoch kept"]
        means = {way: np.mean(scores, axis=0) for way, scores in rows.items()}
        table = pd.DataFrame(means, index=columns).T.round(1)
        return table.rename_axis("held out").reset_index()

    def scores(self, validation, seed):
        """Return UAR on what is held out (mean over folds) and on test speakers (pooled), epoch."""
        network = MLPClassifier(
            (128, 64),
            max_epochs=self.max_epochs,
            patience=None,
            validation=validation,
            random_state=seed,
        )
        corpus = self.corpus
        folds = LeaveSpeakersOut(1).split(self.X, groups=corpus.speakers)
        seen, epochs, answers = [], [], np.empty(len(corpus), dtype=object)
        for train, test in folds:
            seen_uar, epoch, answers[test] = self.run(
                network, self.X[train], corpus.y[train], corpus.speakers[train], self.X[test]
            )
            seen.append(seen_uar)
            epochs.append(epoch)
        return 100 * np.mean(seen), 100 * uar_score(corpus.y, list(answers)), np.mean(epochs)


def run_network(network, X, y, speakers, X_test):
    """Return the UAR by which the best epoch was chosen, that epoch, and answers on test rows."""
    scaler = StandardScaler().fit(X)
    with warnings.catch_warnings():  # that it holds out speakers who are trained on is the point
        warnings.filterwarnings("ignore", message="validation=|The groups parameter")
        network = clone(network).fit(scaler.transform(X), y, speakers=speakers)
    best = network.history_.set_index("epoch")["valid_uar"].loc[network.best_epoch_]
    return best, network.best_epoch_, network.predict(scaler.transform(X_test))


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=FEATURES, default="bench")
    parser.add_argument("--results", type=Path, default=Path("results/leakage"))
    arguments = parser.parse_args(arguments)
    if arguments.scale == "smoke":
        corpora = [make_emotional_speech(4, n_sentences=2, random_state=0)]
    elif arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    else:
        found = [name for name in LOADERS if (arguments.data / name).is_dir()]
        corpora = [LOADERS[name](arguments.data / name) for name in found]
    for corpus in corpora:
        for name, features in FEATURES[arguments.scale].items():
            cached = CachedTransformer(features, arguments.results / "cache").fit(corpus.audio)
            X = cached.transform(corpus.audio)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Features .* are constant")
                table = Prices(corpus, X, arguments.results).table()
            title = f"{corpus.name}, {len(set(corpus.speakers))} speakers, {name}"
            show(f"{title} + SVM: UAR in percent, pooled", table)
            hidden = HiddenValidation(
                corpus,
                X,
                arguments.results,
                max_epochs=N_EPOCHS[arguments.scale],
                n_seeds=N_SEEDS[arguments.scale],
            )
            show(f"{title} + MLP, its best epoch by the fifth held out", hidden.table())


def show(title, table):
    print(title)
    print(table.to_string(index=False, float_format="{:.1f}".format), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
