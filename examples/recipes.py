"""From functionals alone: recipes that are chosen on validation speakers, and what they are worth.

``python examples/recipes.py --data FOLDER`` prints the tables of the page "Recipes". FOLDER holds
``emodb`` and ``ravdess``. Every recipe is trained on the folds of Leow (2021), tuned on the two
validation speakers of each fold, and scored on them and on the two test speakers; the best one on
validation speakers is compared with the SVM that stands in every table. Recipes that use statistics
of the very speakers they are asked about, without labels, are transductive and stand apart.
Finished folds and features are kept in ``--results``. ``--scale smoke`` takes made speech.
"""

import argparse
import os
from functools import partial
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer, LabelBinarizer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from serkit.augmentation import AudioAugmenter, SpeedChange
from serkit.datasets import load_corpus, make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, compare, paired_test
from serkit.feature_extraction import CachedTransformer, OpenSmileFunctionals
from serkit.metrics import uar_score
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader, SilenceTrimmer, SpeakerStandardizer

SETS = {"smoke": ("IS09", "GeMAPS", "eGeMAPS"), "bench": ("ComParE_2016", "IS10", "eGeMAPSv02")}
N_FUNCTIONALS = {"IS09": 384, "GeMAPS": 62, "ComParE_2016": 6373, "IS10": 1582}
C = [1e-4, 1e-3, 1e-2, 1e-1]
ALPHA = [0.03, 0.1, 0.3]


class KernelRidgeClassifier(ClassifierMixin, BaseEstimator):
    """Ridge regression on the classes, all of one weight, by the mean of one RBF kernel per block.

    Parameters
    ----------
    alpha : float, default=0.1
        How much large weights cost.
    gamma : float, default=0.5
        Inverse of the width of a kernel, divided by the number of its columns.
    blocks : sequence of int or None, default=None
        Numbers of columns of the blocks; ``None`` is one block.
    """

    def __init__(self, alpha=0.1, gamma=0.5, blocks=None):
        self.alpha = alpha
        self.gamma = gamma
        self.blocks = blocks

    def fit(self, X, y):
        """Fit."""
        X, y = validate_data(self, X, y)
        binarizer = LabelBinarizer(neg_label=-1).fit(y)
        self.classes_, self.X_fit_ = binarizer.classes_, X
        ridge = KernelRidge(alpha=self.alpha, kernel="precomputed")
        weights = compute_sample_weight("balanced", y)
        self.ridge_ = ridge.fit(self._kernel(X), binarizer.transform(y), sample_weight=weights)
        return self

    def decision_function(self, X):
        """Score the classes."""
        check_is_fitted(self)
        return self.ridge_.predict(self._kernel(validate_data(self, X, reset=False)))

    def predict(self, X):
        """Return the class with the highest score."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]

    def _kernel(self, X):
        edges = np.cumsum([0, *(self.blocks or [X.shape[1]])])
        kernels = [
            rbf_kernel(
                X[:, first:last], self.X_fit_[:, first:last], gamma=self.gamma / (last - first)
            )
            for first, last in pairwise(edges)
        ]
        return np.mean(kernels, axis=0)


class Recipes:
    """What was tried on one corpus, in the order in which it was."""

    def __init__(self, name, arguments):
        self.arguments, self.scale = arguments, arguments.scale
        if name == "synthetic":
            self.corpus = make_emotional_speech(6, n_sentences=1, random_state=0)
            speakers = sorted(set(self.corpus.speakers))
            pairs = list(zip(speakers[::2], speakers[1::2], strict=True))
            self.cv = LeaveSpeakersOut(groups=pairs)
        else:
            self.corpus = load_corpus(name, arguments.data / name)
            self.cv = load_protocol(f"leow2021-{name}")
        speakers = self.corpus.speakers
        folds = self.cv.split_with_validation(self.corpus.audio, groups=speakers)
        self.folds = list(folds)[: arguments.folds]

    def make(self):
        """Return the recipes by name."""
        sets = SETS[self.scale]
        both, all_three = " + ".join(sets[:2]), " + ".join(sets)
        by_speaker = SpeakerStandardizer
        return {
            f"{sets[0]}, SVM": self.svm(sets[:1], trim=False),
            f"{all_three}, SVM": self.svm(sets),
            f"{both}, kernel ridge": self.kernel_ridge(),
            f"{both}, kernel ridge, 2 copies at other speeds": self.kernel_ridge(n_copies=2),
            f"{all_three}, SVM, by speaker": self.svm(sets, scaler=by_speaker),
            f"{both}, kernel ridge, by speaker": self.kernel_ridge(scaler=by_speaker),
        }

    def svm(self, sets, *, scaler=StandardScaler, trim=True):
        """Return a linear SVM, its C tuned."""
        features = self.functionals(sets, trim=trim)
        svm = SVC(kernel=linear_kernel)  # the products of all rows at once
        return self.tuned([features, scaler(), svm], {"svc__C": C})

    def kernel_ridge(self, *, n_copies=0, scaler=StandardScaler):
        """Return kernel ridge regression, its alpha tuned, maybe with copies to learn from."""
        sets = SETS[self.scale][:2]
        copies = AudioAugmenter(SpeedChange(0.85, 1.15), n_copies=n_copies, random_state=0)
        blocks = tuple(N_FUNCTIONALS[name] for name in sets)
        steps = [
            *([copies] if n_copies else []),
            self.functionals(sets),
            scaler(),
            FunctionTransformer(partial(np.clip, a_min=-6, a_max=6)),
            KernelRidgeClassifier(blocks=blocks),
        ]
        return self.tuned(steps, {"kernelridgeclassifier__alpha": ALPHA})

    def functionals(self, sets, *, trim=True):
        """Return the functionals of files, computed once for each."""
        head = [AudioLoader(), *([SilenceTrimmer(top_db=40)] if trim else [])]
        cache = self.arguments.results / "cache"
        return FeatureUnion(
            [
                (name, CachedTransformer(make_pipeline(*head, OpenSmileFunctionals(name)), cache))
                for name in sets
            ]
        )

    def tuned(self, steps, grid):
        """Return a search on the validation speakers, not fitted on them."""
        return HoldoutSearchCV(make_pipeline(*steps), grid, cv=self.cv.inner())

    def run(self):
        """Print scores on validation and test speakers, and test the best against the first."""
        recipes = self.make()
        # Nothing learns from validation speakers but the choice, so they are scored like test ones.
        folds = [
            (np.union1d(train, valid), np.concatenate([valid, test]))
            for train, valid, test in self.folds
        ]
        result = compare(
            self.corpus,
            recipes,
            cv=folds,
            allow_speaker_overlap=True,
            results_dir=self.arguments.results,
            verbose=self.scale != "smoke",
        )
        scored = pd.concat(
            self.scores(result.predictions, fold, rows, side)
            for fold, parts in enumerate(self.folds)
            for rows, side in zip(parts[1:], ("validation", "test"), strict=True)
        )
        table = summarize(scored).reindex(recipes)
        print(f"{self.corpus.name}, {len(self.folds)} folds of Leow (2021), UAR in percent")
        print(table.round(1).to_string(), end="\n\n")
        self.test(scored, table)

    def scores(self, predictions, fold, rows, side):
        """Return the predictions of some rows of a fold."""
        chosen = predictions[(predictions["fold"] == fold) & predictions["row"].isin(rows)]
        return chosen.assign(side=side)

    def test(self, scored, table):
        """Print paired tests over speakers: the best on validation speakers against the first."""
        baseline = table.index[0]
        transductive = table.index.str.endswith("by speaker")
        per_speaker = (
            scored[scored["side"] == "test"]
            .groupby(["pipeline", "speaker"])
            .apply(uar, include_groups=False)
            .unstack("pipeline")
        )
        for kind, names in {
            "best on validation speakers": table.index[~transductive],
            "best transductive one": table.index[transductive],
        }.items():
            best = table.loc[names, "validation"].idxmax()
            test = paired_test(per_speaker[best], per_speaker[baseline])
            print(
                f"{kind}: {best}\n  ahead of {baseline} by {100 * test.difference:+.1f} points "
                f"over {test.n_speakers} test speakers; permutation p = {test.p_permutation:.4f}, "
                f"Wilcoxon p = {test.p_wilcoxon:.4f}, Hedges g = {test.hedges_g:.2f}",
                flush=True,
            )
        print()


def uar(predictions):
    """Return the UAR of predictions."""
    return uar_score(predictions["y_true"].to_numpy(object), predictions["y_pred"].to_numpy(object))


def summarize(scored):
    """Return pooled UAR, and mean and deviation over folds, of both sides."""
    columns = {}
    for side, group in scored.groupby("side", sort=False):
        by_fold = group.groupby(["pipeline", "fold"]).apply(uar, include_groups=False)
        by_fold = by_fold.groupby("pipeline")
        columns[side] = group.groupby("pipeline").apply(uar, include_groups=False)
        columns[f"{side} folds"], columns[f"{side} SD"] = by_fold.mean(), by_fold.std()
    return 100 * pd.DataFrame(columns)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=SETS, default="bench")
    parser.add_argument("--corpora", nargs="+", default=["emodb", "ravdess"])
    parser.add_argument("--folds", type=int, help="only so many folds")
    parser.add_argument("--results", type=Path, default=Path("results/recipes"))
    arguments = parser.parse_args(arguments)
    if arguments.scale != "smoke" and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    for name in ["synthetic"] if arguments.scale == "smoke" else arguments.corpora:
        Recipes(name, arguments).run()


if __name__ == "__main__":
    main()
