"""Valence over time on OMG-Empathy: chapter 3 of Guizzo (2023)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.datasets import Corpus, read_valence
from serkit.feature_extraction import OpenSmileFunctionals
from serkit.metrics import sequence_ccc_score
from serkit.neural_network import (
    BiGRURegressor,
    SequenceCNNRegressor,
    SequencePostProcessor,
    WeightedAverageFusion,
    join_slices,
)
from serkit.papers._experiment import Experiment, Found
from serkit.papers._front_ends import make_front_end
from serkit.papers._kept import kept
from serkit.papers._setting import Setting
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter
from serkit.utils import as_ragged

__all__ = ["Valence"]

_RATE, _PER_SECOND = 16_000, 25
_SAMPLES, _FRAMES = _RATE // _PER_SECOND, 4  # of a value
#: Values of valence in a slice, from the start of one to the start of the next, and the
#: frequency in Hz above which predictions are smoothed.
_SLICES = {"smoke": (25, 20, 1.0), "bench": (200, 160, 0.01), "paper": (200, 160, 0.01)}
#: The story that is validated on, which is not the one of the challenge, and those tested on.
_VALIDATION, _TEST = "2", ("3", "6", "7")
_SIZES: dict[str, dict[str, dict[str, Any]]] = {
    "smoke": {
        "BiGRU": {"hidden_size": 4, "max_epochs": 1, "patience": None},
        "CNN": {
            "n_filters": (2,),
            "kernel_sizes": ((3, 5),),
            "max_epochs": 1,
            "patience": None,
        },
    },
    "bench": {
        "BiGRU": {"hidden_size": 64, "max_epochs": 40, "patience": 8},
        "CNN": {"n_filters": (8, 12, 16), "max_epochs": 40, "patience": 8},
    },
    "paper": {"BiGRU": {}, "CNN": {}},
}
_NOTES = {"smoke": " [smoke width]", "bench": " [a quarter to a half of the width]", "paper": ""}
_CLASSICAL = "ComParE_2016 + ridge"


@dataclass(frozen=True)
class _Recordings:
    """Conversations, and the valence of their listeners, 25 values per second."""

    audio: np.ndarray
    valence: np.ndarray
    speakers: np.ndarray
    stories: np.ndarray


@dataclass(frozen=True)
class Valence(Experiment):
    """Valence predicted from audio, of listeners who are known, for stories that are not."""

    any_corpus: ClassVar[bool] = False

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train both networks, join them, and score the test stories."""
        for corpus in setting.corpora.values():
            is_annotated = "annotation" in corpus.table or setting.scale != "smoke"
            data = _recordings(corpus) if is_annotated else _made(corpus)
            sequences = [
                (name, seed, predicted)
                for seed in setting.seeds
                for name, predicted in _predictions(data, setting, seed).items()
                if setting.wants(name)
            ]
            if sequences:
                rows = _scores(data, sequences)
                yield Found(self.name, corpus.name or "", rows, _as_text(rows, setting))


def _recordings(corpus: Corpus) -> _Recordings:
    valence = read_valence(corpus)
    audio = AudioLoader(_RATE).fit_transform(corpus.audio)
    return _fitted_together(audio, valence, corpus.speakers, corpus.table["story"].to_numpy(object))


def _made(corpus: Corpus) -> _Recordings:
    """Return three made conversations per speaker, whose valence is a level per emotion."""
    levels = {"anger": -0.6, "happiness": 0.7, "neutral": 0.0, "sadness": -0.3}
    audio, valence, speakers, stories = [], [], [], []
    for speaker in sorted(set(corpus.speakers)):
        part = corpus.select(speaker=speaker)
        for first, story in enumerate("123"):
            rows = np.arange(first, len(part), 3)
            waveforms = part.audio[rows]
            lengths = [len(waveform) * _PER_SECOND // _RATE for waveform in waveforms]
            audio.append(np.concatenate(waveforms))
            valence.append(np.repeat([levels[emotion] for emotion in part.y[rows]], lengths))
            speakers.append(speaker)
            stories.append(story)
    labels = np.array(speakers, object), np.array(stories, object)
    return _fitted_together(audio, valence, *labels)


def _fitted_together(
    audio: Iterable[np.ndarray], valence: Iterable[np.ndarray], speakers: Any, stories: Any
) -> _Recordings:
    """Cut what is longer, audio or valence."""
    lengths = [min(len(x) // _SAMPLES, len(v)) for x, v in zip(audio, valence, strict=True)]
    return _Recordings(
        as_ragged(x[: n * _SAMPLES] for x, n in zip(audio, lengths, strict=True)),
        as_ragged(np.asarray(v[:n], float) for v, n in zip(valence, lengths, strict=True)),
        speakers,
        stories,
    )


def _predictions(data: _Recordings, setting: Setting, seed: int) -> dict[str, np.ndarray]:
    """Return the sequences of all recordings that every system predicts."""
    sizes, note = _SIZES[setting.scale], _NOTES[setting.scale]
    options = {"random_state": seed, "device": setting.device}
    gru = BiGRURegressor(**{**sizes["BiGRU"], **options})
    cnn = SequenceCNNRegressor(**{**sizes["CNN"], **options})
    fusion = WeightedAverageFusion([("BiGRU", gru), ("CNN", cnn)], metric="sequence_ccc")
    others = data.valence, data.speakers, data.stories, _SLICES[setting.scale]
    found = kept(_of_networks, setting, fusion, data.audio, *others)
    predicted = {f"{name}{note}": sequences for name, sequences in found.items()}
    has_functionals = setting.scale != "smoke" and find_spec("opensmile") is not None
    if has_functionals and seed == setting.seeds[0]:
        functionals = OpenSmileFunctionals("ComParE_2016"), StandardScaler()
        ridge = make_pipeline(*functionals, RidgeCV(np.logspace(2, 6, 9)))
        predicted[_CLASSICAL] = kept(_of_functionals, setting, ridge, data.audio, *others)
    return predicted


def _of_networks(
    fusion: WeightedAverageFusion,
    audio: Any,
    valence: Any,
    speakers: Any,
    stories: Any,
    slices: Any,
) -> dict[str, np.ndarray]:
    """Train every network on spectrograms, and weigh them by the validation story."""
    n_values, hop, _ = slices
    front_end = make_front_end("guizzo2023-omg").fit(audio[~np.isin(stories, _TEST)])
    frames = as_ragged(x[..., :-1] for x in front_end.transform(audio))
    X, parents = FixedLengthSegmenter(_FRAMES * n_values, hop=_FRAMES * hop).split(frames)
    y, _ = FixedLengthSegmenter(n_values, hop=hop).split(valence)
    learn = np.flatnonzero(~np.isin(stories[parents], _TEST))
    X_learn, y_learn = X[learn], np.stack(list(y[learn]))
    held_out = PredefinedSplit(np.where(stories[parents[learn]] == _VALIDATION, 0, -1))
    trained = {
        name: clone(network).set_params(validation=held_out).fit(X_learn, y_learn)
        for name, network in fusion.estimators
    }
    frozen = [(name, FrozenEstimator(network)) for name, network in trained.items()]
    both = clone(fusion).set_params(estimators=frozen, validation=held_out).fit(X_learn, y_learn)
    systems = {**trained, " and ".join(trained): both}
    return {
        name: _whole(system.predict(X), parents, valence, speakers, stories, slices)
        for name, system in systems.items()
    }


def _of_functionals(
    ridge: BaseEstimator, audio: Any, valence: Any, speakers: Any, stories: Any, slices: Any
) -> np.ndarray:
    """Train a linear regression from functionals of slices to all of their values."""
    n_values, hop, _ = slices
    X, parents = FixedLengthSegmenter(_SAMPLES * n_values, hop=_SAMPLES * hop).split(audio)
    y, _ = FixedLengthSegmenter(n_values, hop=hop).split(valence)
    learn = np.flatnonzero(~np.isin(stories[parents], _TEST))
    predicted = ridge.fit(X[learn], np.stack(list(y[learn]))).predict(X)
    return _whole(predicted, parents, valence, speakers, stories, slices)


def _whole(
    predicted: np.ndarray, parents: Any, valence: Any, speakers: Any, stories: Any, slices: Any
) -> np.ndarray:
    """Join the slices of a recording, smooth them, and give them the scale of the listener."""
    _, hop, cutoff = slices
    joined = join_slices(predicted, parents, hop, lengths=list(map(len, valence)))
    known = ~np.isin(stories, _TEST)
    processor = SequencePostProcessor(cutoff).fit(valence[known], speakers=speakers[known])
    return processor.transform(joined, speakers=speakers)


def _scores(data: _Recordings, sequences: Sequence[tuple[str, int, np.ndarray]]) -> pd.DataFrame:
    """Return the mean CCC of test recordings, of all, by story and by listener."""
    scores = pd.DataFrame(
        {
            "system": name,
            "story": f"CCC story {data.stories[row]}",
            "speaker": f"CCC {data.speakers[row]}",
            "value": 100 * sequence_ccc_score([data.valence[row]], [predicted[row]]),
        }
        for name, _, predicted in sequences
        for row in np.flatnonzero(np.isin(data.stories, _TEST))
    )
    by_speaker = scores.groupby(["system", "speaker"], sort=False)["value"].mean()
    by_story = scores.groupby(["system", "story"], sort=False)["value"].mean()
    overall = by_speaker.groupby("system", sort=False).agg(["mean", "std"])
    rows = [
        {"system": system, "metric": "CCC", "value": row["mean"], "SD": row["std"]}
        for system, row in overall.iterrows()
    ]
    rows += [
        {"system": system, "metric": metric, "value": value, "SD": np.nan}
        for parts in (by_story, by_speaker)
        for (system, metric), value in parts.items()
    ]
    n_seeds = len({seed for _, seed, _ in sequences})
    about = {"folds": 1, "seeds": n_seeds, "speakers": scores["speaker"].nunique()}
    return pd.DataFrame(rows).assign(**about)


def _as_text(rows: pd.DataFrame, setting: Setting) -> str:
    table = rows.pivot(index="system", columns="metric", values="value")
    table = table.reindex(index=rows["system"].unique(), columns=rows["metric"].unique()).round(1)
    return (
        f"CCC in percent, test stories {', '.join(_TEST)}, validation story {_VALIDATION}; "
        "the listeners are known from training, and so are their mean and spread; "
        f"scale {setting.scale}\n{table.rename_axis(index=None, columns=None).to_string()}"
    )
