"""Predictions for any number of files, a batch at a time."""

import math
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from tqdm.auto import tqdm

from serkit.inference._files import list_files
from serkit.inference._model import FittedModel, Scores
from serkit.inference._windows import check_window, window_bounds
from serkit.preprocessing import AudioLoader
from serkit.utils import AudioSegment, BadAudioError, as_ragged, at_names, open_audio

__all__ = ["iter_predictions"]

_RESERVED = frozenset({"file", "start", "end", "prediction", "error"})


def iter_predictions(
    model: Any,
    files: Any,
    *,
    window_length: int | None = None,
    hop_length: int | None = None,
    batch_size: int = 32,
    on_error: str = "raise",
    use_cache: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Iterator[pd.DataFrame]:
    """Classify files, however many there are, a batch at a time.

    Only the audio of the batches at work is in memory, so it takes as much
    memory for ten thousand files as for a hundred. With `window_length` the same
    holds for recordings of any length: windows are read from their file one by
    one. Without it a file is read whole, and an hour at 16 kHz takes 230 MB.

    A model that begins with :class:`~serkit.preprocessing.AudioLoader` gets the
    files; any other gets waveforms of one channel, at the first sampling rate
    that its steps name.

    Parameters
    ----------
    model : estimator
        A fitted classifier or regressor of audio, most often a pipeline.
    files : path-like or iterable of path-like or AudioSegment
        A folder, whose audio files are taken in the order of their names, those
        of folders in it too; a file; or paths and parts of files, which are
        asked for as they are needed.
    window_length : int or None, default=None
        Length of the windows that files are cut into, in samples at the sampling
        rate of the model. ``None`` takes every file as one utterance. In a file of
        another rate windows begin and end at samples of the file, so one may be
        longer or shorter by what one of these becomes, rounded up: by two samples
        from 11025 Hz to 16 kHz.
    hop_length : int or None, default=None
        Samples from the start of a window to the start of the next; ``None``
        lays them side by side. The last one ends with the file, as of
        :func:`window_posteriors`.
    batch_size : int, default=32
        How many utterances are in memory together, per job.
    on_error : {"raise", "skip"}, default="raise"
        What to do with a file that cannot be used: stop with an error that names
        it; or go on, leave its numbers missing and say why in the column "error".
    use_cache : bool, default=False
        Read and fill the caches of :class:`~serkit.feature_extraction.CachedTransformer`
        steps. By default they do not grow by every file that is classified.
    n_jobs : int or None, default=None
        Number of batches at work at the same time, by threads unless
        :func:`joblib.parallel_config` says otherwise.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    predictions : iterator of DataFrame
        For every batch a table with one row per utterance: "file"; "start" and "end", its place
        in the file in seconds; "prediction" (of regressors of several numbers
        "prediction_0" and so on); a column per class; and "error" with
        ``on_error="skip"``. ``attrs["score_method"]`` of a table says what
        stands in the columns of classes: "predict_proba", posteriors; or
        "decision_function", of two classes with opposite signs.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or no audio in the folder.
    TypeError
        If the model predicts nothing, or `files` holds something else than
        paths and parts of files.
    ValueError
        If a file cannot be used, and is not to be skipped; or the sampling rate
        that the model takes cannot be told.

    Warns
    -----
    UserWarning
        At the end, if files were skipped.

    See Also
    --------
    window_posteriors : Windows of a recording in memory.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, pandas as pd, soundfile
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from serkit.feature_extraction import MFCC, TemporalPooling
    >>> from serkit.inference import iter_predictions
    >>> from serkit.preprocessing import AudioLoader
    >>> rng = np.random.default_rng(0)
    >>> model = make_pipeline(AudioLoader(), MFCC(), TemporalPooling(), LogisticRegression())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, scale in (("a", 0.01), ("b", 0.2)):
    ...         file = pathlib.Path(folder, f"{name}.wav")
    ...         soundfile.write(file, scale * rng.normal(size=8000), 16000)
    ...     _ = model.fit(sorted(pathlib.Path(folder).iterdir()), ["calm", "anger"])
    ...     table = pd.concat(iter_predictions(model, folder))
    >>> table[["start", "end", "prediction"]]
       start  end prediction
    0    0.0  0.5       calm
    1    0.0  0.5      anger
    """
    if batch_size != int(batch_size) or batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r}: it is a number of utterances, 1 or more")
    if on_error not in ("raise", "skip"):
        raise ValueError(f'on_error is "raise" or "skip", not {on_error!r}')
    fitted = FittedModel.of(model, use_cache=use_cache)
    _check_names(fitted)
    loader = None if fitted.loader else AudioLoader(fitted.known_rate)
    windows = None
    if window_length is not None:
        lengths = check_window(window_length, hop_length)
        windows = _Windows(fitted.rate_of_windows, *lengths)
    elif hop_length is not None:
        raise ValueError("hop_length has no effect without window_length")
    files = list_files(files)
    utterances = (part for file in files for part in _utterances(file, windows))
    classify = _Classify(fitted, loader, skip=on_error == "skip")
    total = len(files) if windows is None and hasattr(files, "__len__") else None
    progress = partial(tqdm, total=total, desc="Predictions", disable=not verbose)
    return _tables(classify, _batches(utterances, int(batch_size)), n_jobs, progress)


class _Utterance(NamedTuple):
    """What is classified, where it stands, and what is wrong with it."""

    audio: Any
    file: str
    start: float = np.nan
    end: float = np.nan
    problem: str | None = None


class _Windows(NamedTuple):
    sampling_rate: int
    window_length: int
    hop_length: int


def _utterances(item: Any, windows: _Windows | None) -> Iterator[_Utterance]:
    """Return a file, or its windows; only its header is read."""
    if not isinstance(item, str | os.PathLike | AudioSegment):
        raise TypeError(
            f"files holds an object of type {type(item).__name__}: give paths, or parts of files "
            "as serkit.utils.AudioSegment; window_posteriors takes waveforms"
        )
    part = item if isinstance(item, AudioSegment) else AudioSegment(item)
    file = os.fspath(part.file)
    try:
        with open_audio(part) as audio:
            n_samples, rate = audio.n_samples, audio.sampling_rate
    except BadAudioError as error:
        yield _Utterance(item, file, problem=str(error))
        return
    end = part.start + n_samples / rate
    if windows is None:
        yield _Utterance(item, file, part.start, end)
        return
    target = windows.sampling_rate
    bounds = window_bounds(math.ceil(n_samples * target / rate), *windows[1:])
    for first, last in part.start + bounds / target:
        window = AudioSegment(part.file, float(first), float(min(last, end)))
        yield _Utterance(window, file, window.start, float(window.end or end))


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _tables(
    classify: "_Classify", batches: Iterator[list[_Utterance]], n_jobs: int | None, progress: Any
) -> Iterator[pd.DataFrame]:
    tables: Iterable[pd.DataFrame]
    if effective_n_jobs(n_jobs) == 1:
        tables = map(classify, batches)
    else:
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
        tables = parallel(map(delayed(classify), batches))
    n_utterances = n_skipped = 0
    with progress() as bar:
        for table in tables:
            table.index += n_utterances
            n_utterances += len(table)
            n_skipped += table["error"].notna().sum() if classify.skip else 0
            bar.update(len(table))
            yield table
    if n_skipped:
        warnings.warn(
            f"{n_skipped} of {n_utterances} utterances could not be classified; the column "
            "'error' says why",
            UserWarning,
            stacklevel=2,
        )


@dataclass(frozen=True)
class _Classify:
    """From a batch to its table."""

    model: FittedModel
    loader: AudioLoader | None
    skip: bool

    def __call__(self, batch: list[_Utterance]) -> pd.DataFrame:
        good = [row for row, utterance in enumerate(batch) if utterance.problem is None]
        scores: dict[int, Scores] = {}
        problems = {row: utterance.problem for row, utterance in enumerate(batch)}
        try:
            scores = self._predict(batch, good)
        except ValueError:  # One by one, to know of whom it speaks.
            for row in good:
                try:
                    scores |= self._predict(batch, [row])
                except ValueError as error:
                    problems[row] = _reason(error, batch[row])
                    if not self.skip:
                        raise ValueError(f"{batch[row].file}: {problems[row]}") from error
        for row, problem in problems.items():
            if problem is not None and not self.skip:
                reason = str(problem).rstrip(".")
                raise ValueError(
                    f"{batch[row].file}: {reason}. Repair it, or go on without: on_error='skip'"
                )
        return self._table(batch, scores, problems)

    def _predict(self, batch: list[_Utterance], rows: list[int]) -> dict[int, Scores]:
        if not rows:
            return {}
        X = as_ragged(batch[row].audio for row in rows)
        with at_names([str(batch[row].audio) for row in rows]):
            if self.loader is not None:
                X = self.loader.transform(X)
            predictions, of_classes = self.model.predict(X)
        if predictions.ndim > 2 or (
            predictions.dtype == object and isinstance(predictions[0], list | np.ndarray)
        ):
            raise TypeError(
                "the model predicts a sequence for every utterance, which fits in no table: call "
                "its predict"
            )
        return {
            row: Scores(predictions[place], None if of_classes is None else of_classes[place])
            for place, row in enumerate(rows)
        }

    def _table(
        self, batch: list[_Utterance], scores: dict[int, Scores], problems: dict[int, str | None]
    ) -> pd.DataFrame:
        rows = sorted(scores)
        table = pd.DataFrame(
            {
                "file": [utterance.file for utterance in batch],
                "start": [utterance.start for utterance in batch],
                "end": [utterance.end for utterance in batch],
            }
        )
        predictions = pd.DataFrame([np.atleast_1d(scores[row].predictions) for row in rows], rows)
        predictions = predictions.add_prefix("prediction_")
        if len(predictions.columns) < 2:
            predictions.columns = ["prediction"][: len(predictions.columns)]
            predictions = predictions.reindex(columns=["prediction"])
        table = table.join(predictions)
        if self.model.score_method is not None:
            columns = pd.Index(self.model.classes)
            values = np.array([scores[row].of_classes for row in rows], dtype=np.float64)
            values = values.reshape(len(rows), len(columns))
            table = table.join(pd.DataFrame(values, rows, columns))
        if self.skip:
            table["error"] = pd.Series(problems, dtype=object)
        table.attrs["score_method"] = self.model.score_method
        return table


def _reason(error: ValueError, utterance: _Utterance) -> str:
    """Return what an error says of the only utterance, without its number in the batch."""
    lines = str(error).splitlines() or [repr(error)]
    line = next((line for line in lines if "utterance 0" in line), lines[0]).strip()
    for name in (f"utterance 0 ({utterance.audio}): ", f"{utterance.audio} "):
        line = line.removeprefix(name)
    return line


def _check_names(model: FittedModel) -> None:
    classes = () if model.classes is None else model.classes.tolist()
    taken = _RESERVED & set(classes)
    if taken:
        raise ValueError(
            f"the classes {sorted(taken)} have the names of columns of the table; train the model "
            "with other names"
        )
