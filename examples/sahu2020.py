"""What generated feature vectors are worth: the experiments of Sahu et al. (2020).

``python examples/sahu2020.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. What is finished is kept in ``--results``, so the command can be stopped
and run again. ``--scale paper`` has the optimizers and the numbers of the paper, ``--scale smoke``
takes made vectors and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import argparse
import os
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
import numpy as np
import pandas as pd
from _systems import FOLDS, LOADERS
from imblearn.over_sampling import SMOTE
from joblib import Memory
from sklearn.base import clone
from sklearn.metrics.pairwise import linear_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from serkit.evaluation import code_discriminability, low_resource_curve, low_resource_tests
from serkit.feature_extraction import CachedTransformer, OpenSmileFunctionals
from serkit.metrics import generator_report, tstr_score
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import MLPClassifier
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    AppendUniform,
    GaussianGenerator,
    InfoGANAutoencoder,
    RandomOverSampler,
)
from serkit.preprocessing import AudioLoader
from serkit.utils import source_digest

MODELS = {"M1": AdversarialAutoencoder, "M2": AdversarialAutoencoderGAN, "M3": InfoGANAutoencoder}
SMALL = {
    "M1": {"hidden_layer_sizes": (16,), "discriminator_layer_sizes": (16,)},
    "M2": {"feature_discriminator_layer_sizes": (16,)},
    "M3": {"code_dim": 4, "code_generator_layer_sizes": (8,), "aux_layer_sizes": (8,)},
}
SCALES = {
    "smoke": {"max_updates": 20, "n_samples": 40, "n_repeats": 1, "n_synthetic": (40,)},
    "bench": {"max_updates": 500, "n_samples": 1000, "n_repeats": 3, "n_synthetic": (600,)},
    # The updates of 200 epochs of the paper's corpus.
    "paper": {
        "max_updates": 27_800,
        "n_samples": 6000,
        "n_repeats": 5,
        "n_synthetic": (600, 2000, 6000),
    },
}
FRACTIONS = {
    "smoke": (0.5, 1.0),
    "bench": (0.1, 0.25, 1.0),
    "paper": (0.1, 0.25, 0.5, 0.8, 1.0),
}
PACKAGES = "numpy", "scikit-learn", "imbalanced-learn", "torch"
#: Updates of M1 in the preset "paper", beside the preset "tuned".
PAPER_UPDATES, PAPER_FOLDS = 10_000, (0, 2)
#: The four emotions of the paper that both corpora have.
EMOTIONS = ["anger", "happiness", "neutral", "sadness"]
#: Rates that were tried, on training speakers.
PAPER, TUNED = {"preset": "paper"}, {"preset": "tuned"}
FASTER = {"lr_feature_discriminator": 3e-4, "lr_generator": 3e-4}
RATES = {
    "M1": [PAPER, {**PAPER, "lr_reconstruction": 0.1}, TUNED],
    "M2": [
        {**PAPER, "lr_reconstruction": 0.1},
        TUNED,
        {**TUNED, "lr_feature_discriminator": 2e-5},
        {**TUNED, "lr_feature_discriminator": 2e-5, "lr_generator": 1e-3},
    ],
    "M3": [
        PAPER,
        TUNED,
        {**TUNED, "lr_generator": 1e-3},
        {**TUNED, **FASTER},
        {**TUNED, **FASTER, "lr_code_discriminator": 1e-3, "lr_encoder": 1e-3},
        {**TUNED, **FASTER, "aux_on_real": False, "aux_update_trunk": True},
    ],
}
SHOWN = {
    "TRTS_train": "TRTS train",
    "TSTR_train": "TSTR train",
    "TRTS_valid": "TRTS held out",
    "TSTR_valid": "TSTR held out",
    "frechet_train": "Fréchet train",
    "frechet_valid": "Fréchet held out",
    "sd_ratio": "SD ratio",
}


class Vectors:
    """The feature vectors of a corpus, and its folds."""

    def __init__(self, name, arguments):
        self.name = name
        if name == "synthetic":
            rng = np.random.default_rng(0)
            self.y = np.tile(np.repeat(EMOTIONS, 5), 6)
            self.speakers = np.repeat(list("abcdef"), 20)
            centers = 3 * np.eye(4, 8)[np.searchsorted(EMOTIONS, self.y)]
            self.X = centers + rng.normal(size=(120, 8))
            self.cv = LeaveSpeakersOut(groups=[tuple("ab"), tuple("cd"), tuple("ef")])
        else:
            corpus = LOADERS[name](arguments.data / name)
            features = make_pipeline(AudioLoader(), OpenSmileFunctionals("IS10"))
            cached = CachedTransformer(features, arguments.results / "cache")
            self.X = np.asarray(cached.fit_transform(corpus.audio), dtype=float)
            self.y, self.speakers = np.asarray(corpus.y), np.asarray(corpus.speakers)
            self.cv = load_protocol(f"leow2021-{name}")
        folds = list(self.cv.split(self.X, self.y, groups=self.speakers))
        chosen = arguments.folds or FOLDS[arguments.scale][name]
        self.folds = {number: folds[number] for number in chosen}

    def inner(self, fold):
        """Return the training rows of a fold, divided by speakers."""
        train, _ = self.folds[fold]
        inner = self.cv.inner().split(self.X[train], self.y[train], groups=self.speakers[train])
        learn, valid = next(iter(inner))
        return train[learn], train[valid]

    def of(self, emotions):
        """Return rows, emotions and speakers of some emotions."""
        rows = np.isin(self.y, emotions)
        return self.X[rows], self.y[rows], self.speakers[rows]


def make_model(name, scale, **parameters):
    """Return a model, as large as the scale has it."""
    sizes = {}
    if scale == "smoke":
        for smaller in list(MODELS)[: 1 + list(MODELS).index(name)]:
            sizes |= SMALL[smaller]
    preset = {"preset": "paper"} if scale == "paper" else {}
    settings = {"max_updates": SCALES[scale]["max_updates"], **preset, **sizes, **parameters}
    return MODELS[name](**settings)


def make_systems(scale):
    """Return what is compared: the three models and what every user has without them."""
    n_samples = SCALES[scale]["n_samples"]
    return {
        **{name: make_model(name, scale) for name in MODELS},
        "Gaussian per class": GaussianGenerator(),
        "SMOTE": SMOTE(k_neighbors=3, sampling_strategy=AppendUniform(n_samples)),
        "repetition": RandomOverSampler(sampling_strategy=AppendUniform(n_samples)),
    }


def linear_svm():
    """Return a linear SVM; the products of all rows are computed at once."""
    return SVC(kernel=linear_kernel, C=1e-3)


def emotion_network():
    """Return the paper's network of four layers of 64 units, behind a scaler."""
    mlp = MLPClassifier((64,) * 4, dropout=0, batch_size=64, max_epochs=30, random_state=0)
    return make_pipeline(StandardScaler(), mlp)


def judge(system, classifier, seed, X, y, train, valid, n_samples, network, code):
    """Fit a system on some rows, and report on what it makes: a dict, or why there is none."""
    scaler = StandardScaler().fit(X[train])
    Z = scaler.transform(X)
    system = clone(system).set_params(random_state=seed)
    start = time.process_time()
    try:
        if hasattr(system, "sample"):
            made = system.fit(Z[train], y[train]).sample(n_samples, random_state=seed + 1)
        else:
            rows, labels = system.fit_resample(Z[train], y[train])
            made = rows[len(train) :], labels[len(train) :]
    except FloatingPointError as error:
        return {"diverged": str(error).split(":", maxsplit=1)[0]}
    seconds = time.process_time() - start
    if network is not None:
        unscale = FunctionTransformer(scaler.inverse_transform)
        network = make_pipeline(unscale, *(step for _, step in network.steps))
    report = generator_report(
        made,
        *(Z[train], y[train], Z[valid], y[valid]),
        classifier=classifier,
        feature_extractor=network,
    )
    real = tstr_score(classifier, Z[train], y[train], Z[valid], y[valid])
    return {**report.to_dict(), "real to real": real, "seconds": seconds}


class Experiments:
    """What the command runs."""

    def __init__(self, arguments):
        self.arguments, self.scale = arguments, arguments.scale
        memory = Memory(arguments.results / "reports", verbose=0)
        self.judge = memory.cache(judge, ignore=["network"])
        # Reports of other code are not found again; the network is known by how it is made.
        self.code = source_digest(), joblib.hash([emotion_network(), *map(version, PACKAGES)])
        names = ["synthetic"] if self.scale == "smoke" else arguments.corpora
        self.corpora = {name: Vectors(name, arguments) for name in names}

    def repeats(self):
        """Return the seeds."""
        return range(self.arguments.repeats or SCALES[self.scale]["n_repeats"])

    def rates(self):
        """Print which rates train, found on training speakers of the first corpus."""
        vectors = next(iter(self.corpora.values()))
        folds = [fold for fold in PAPER_FOLDS if fold in vectors.folds]
        rows = []
        for name, tried in RATES.items():
            for parameters in tried:
                model = make_model(name, self.scale, **parameters)
                found = [
                    self.report(model, 0, vectors, *vectors.inner(fold), with_network=False)
                    for fold in folds
                ]
                text = ", ".join(f"{key} {value}" for key, value in parameters.items())
                rows.append({"model": name, "rates": text, **_mean(found)})
        print(f"Rates, {vectors.name}, validation speakers of folds {folds}; {self.about()}")
        _show(pd.DataFrame(rows).set_index(["model", "rates"]))

    def tables(self):
        """Print what two linear SVMs and a network say of every system, corpus by corpus."""
        for vectors in self.corpora.values():
            systems = make_systems(self.scale)
            rows = []
            # Repeat by repeat, so that a run that was stopped has whole tables.
            for seed in self.repeats():
                for name, system in systems.items():
                    for fold, (train, valid) in vectors.folds.items():
                        report = self.report(system, seed, vectors, train, valid)
                        rows.append({"system": name, "fold": fold, "repeat": seed, **report})
            if self.scale == "bench" and vectors.name == "emodb":
                model = make_model("M1", self.scale, preset="paper", max_updates=PAPER_UPDATES)
                for fold in set(PAPER_FOLDS) & set(vectors.folds):
                    report = self.report(model, 0, vectors, *vectors.folds[fold])
                    name = f"M1, rates of the paper, {PAPER_UPDATES} updates, folds 0 and 2, once"
                    rows.append({"system": name, "fold": fold, "repeat": 0, **report})
            table = pd.DataFrame(rows)
            folds = ", ".join(map(str, vectors.folds))
            print(f"{vectors.name}, Leow (2021) folds {folds}; {self.about()}")
            by_fold = table.groupby(["system", "fold"], sort=False).mean(numeric_only=True)
            _show(by_fold.groupby("system", sort=False), by_fold["real to real"].mean())

    def codes(self):
        """Print how much of the emotions is left in the codes."""
        for vectors in self.corpora.values():
            rows = []
            for name in MODELS:
                model = make_model(name, self.scale, random_state=0)
                table = code_discriminability(
                    model,
                    vectors.X,
                    vectors.y,
                    vectors.speakers,
                    cv=list(vectors.folds.values()),
                )
                rows.append(table.mean(numeric_only=True).rename(name))
            print(f"{vectors.name}, UAR of a linear SVM on vectors and on codes; {self.about()}")
            print(pd.DataFrame(rows).drop(columns="fold", errors="ignore").round(3), end="\n\n")

    def low_resource(self):
        """Print the gain on another corpus, by how much of the first one is there to learn."""
        if self.scale == "smoke":
            source = target = self.corpora["synthetic"]
        else:
            source, target = (Vectors(name, self.arguments) for name in ("emodb", "ravdess"))
        X_target, y_target, speakers = target.of(EMOTIONS)
        tables = []
        for generator_fit in ("full", "subset"):
            table = low_resource_curve(
                emotion_network()[-1],
                make_systems(self.scale),
                *source.of(EMOTIONS)[:2],
                X_target,
                y_target,
                fractions=FRACTIONS[self.scale],
                n_synthetic=SCALES[self.scale]["n_synthetic"],
                generator_fit=generator_fit,
                n_repeats=len(self.repeats()),
                speakers_target=speakers,
                results_dir=self.arguments.results,
                verbose=self.scale != "smoke",
            )
            tables.append(table)
        table = pd.concat(tables, ignore_index=True)
        print(f"{source.name} → {target.name}, {', '.join(EMOTIONS)}; {self.about()}")
        whole = table[table["speaker"] == "all"]
        keys = ["generator_fit", "n_synthetic", "system"]
        uar = whole.groupby([*keys, "fraction"], sort=False)["UAR"].agg(["mean", "std"])
        print(_percent(uar).unstack("fraction").to_string(), end="\n\n")
        print(low_resource_tests(table).round(3).to_string(index=False), end="\n\n", flush=True)

    def report(self, system, seed, vectors, train, valid, *, with_network=True):
        """Return the report of a system, found or computed now."""
        network = None
        if with_network:
            if not hasattr(vectors, "network"):
                vectors.network = emotion_network().fit(vectors.X, vectors.y)
            network = vectors.network
        n_samples = SCALES[self.scale]["n_samples"]
        rows = vectors.X, vectors.y, train, valid
        code = self.code, with_network
        return self.judge(system, linear_svm(), seed, *rows, n_samples, network, code)

    def about(self):
        """Describe the scale."""
        scale = SCALES[self.scale]
        return (
            f"scale {self.scale}: {scale['max_updates']} updates, {scale['n_samples']} synthetic "
            f"rows, {len(self.repeats())} repeats"
        )

    def estimate(self):
        """Print what an update of every model costs, and all of them; the rest takes minutes."""
        vectors = next(iter(self.corpora.values()))
        Z = StandardScaler().fit_transform(vectors.X)
        n_repeats, n_fractions = len(self.repeats()), len(FRACTIONS[self.scale])
        n_folds = sum(len(vectors.folds) for vectors in self.corpora.values())
        n_fits = {
            "rates": {name: len(PAPER_FOLDS) * len(tried) for name, tried in RATES.items()},
            "tables": dict.fromkeys(MODELS, n_repeats * n_folds),
            "codes": dict.fromkeys(MODELS, n_folds),
            "low_resource": dict.fromkeys(MODELS, n_repeats * (1 + n_fractions)),
        }
        for name in MODELS:
            seconds = []
            for n_updates in (5, 5, 25):  # the first time is longer
                start = time.process_time()
                make_model(name, self.scale, max_updates=n_updates).fit(Z, vectors.y)
                seconds.append(time.process_time() - start)
            update = (seconds[2] - seconds[1]) / 20
            for experiment in self.arguments.experiments:
                n_updates = n_fits[experiment][name] * SCALES[self.scale]["max_updates"]
                if (experiment, name, self.scale) == ("tables", "M1", "bench"):
                    n_updates += len(PAPER_FOLDS) * PAPER_UPDATES
                minutes = n_updates * update / 60
                print(f"{experiment}, {name}: {n_updates} updates, {minutes:.0f} min", flush=True)


def _mean(reports):
    return pd.DataFrame(reports).mean(numeric_only=True).to_dict() | {
        key: value for report in reports for key, value in report.items() if key == "diverged"
    }


def _percent(uar):
    text = uar["mean"].map("{:.1%}".format)
    return text.where(uar["std"].isna(), text + " ± " + uar["std"].map("{:.1%}".format))


def _show(table, real_to_real=None):
    """Print means, with deviations if the table is grouped."""
    columns = [*SHOWN, "diverged", "seconds"]
    if isinstance(table, pd.DataFrame):
        columns = [column for column in columns if column in table]
        print(table[columns].round(3).rename(columns=SHOWN).to_string(na_rep=""), end="\n\n")
        return
    columns = [column for column in columns if column in table.obj]
    mean, deviation = table[columns].mean(), table[columns].std()
    text = mean.round(3).astype(str)
    text = text.where(deviation.isna(), text + " ± " + deviation.round(3).astype(str))
    print(text.rename(columns=SHOWN).to_string())
    print(f"real training rows → held out: {real_to_real:.3f}", end="\n\n", flush=True)


def main(arguments=None) -> None:
    experiments = ("rates", "tables", "codes", "low_resource")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=SCALES, default="bench")
    parser.add_argument("--corpora", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--experiments", nargs="+", choices=experiments, default=experiments)
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--repeats", type=int, help="fewer repeats than the scale has")
    parser.add_argument("--results", type=Path, default=Path("results/sahu2020"))
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args(arguments)
    if arguments.scale != "smoke" and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    # Rates that draw nothing of use are part of the tables.
    warnings.filterwarnings("ignore", "a linear classifier of the training rows")
    run = Experiments(arguments)
    if arguments.dry_run:
        run.estimate()
        return
    for name in arguments.experiments:
        getattr(run, name)()


if __name__ == "__main__":
    main()
