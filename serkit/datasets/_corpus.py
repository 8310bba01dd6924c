"""A corpus: a table of utterances, and where their audio is."""

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serkit.datasets._check import measure_audio, report_bad
from serkit.datasets._concat import choose_prefixes, common_root, move_files, require_one_rate, tag
from serkit.datasets._summary import count_utterances, summary_lines
from serkit.datasets._table import audio_item, check_table, check_waveforms, listed, matching_rows
from serkit.utils import as_ragged

__all__ = ["Corpus"]


class Corpus:
    """Utterances of emotional speech: a table, and files or waveforms.

    A corpus on disk and one in memory are used in the same way; only what is
    in ``audio`` differs. A corpus is not changed after it was made: indexing
    and all methods return new ones, and the waveforms it hands out are
    read-only.

    Parameters
    ----------
    table : DataFrame, or anything that a DataFrame can be made of
        One row per utterance. Columns that a corpus knows are ``file``,
        ``speaker``, ``gender``, ``emotion``, ``sentence``, ``session``,
        ``start``, ``end``, ``partition`` and ``duration`` (``start``, ``end``
        and ``duration`` in seconds); those not given are added as missing,
        others are kept. Of known text, spaces around it are dropped, a blank is
        missing, and the number 3.0 is ``"3"``. Speakers that differ only in
        capital letters are refused.
    root : path-like or None, default=None
        The folder that ``file`` is relative to; ``None`` is the working folder.
    waveforms : sequence of ndarray or None, default=None
        The audio itself, one 1-D array per row, which is not copied: do not
        write into it afterwards. ``duration`` is then that of the waveform, and
        ``start`` and ``end`` only tell where it comes from.
    sampling_rate : int or None, default=None
        Sampling rate of the waveforms in Hz; files carry their own.
    name : str or None, default=None
        What the corpus is called.

    Attributes
    ----------
    table : DataFrame
        A copy of the table.
    root : pathlib.Path or None
        The folder of the files.
    sampling_rate : int or None
        Sampling rate of the waveforms in Hz, ``None`` for files.
    name : str or None
        What the corpus is called.
    audio : ndarray of shape (n_utterances,), dtype=object
        Absolute paths (str), :class:`~serkit.utils.AudioSegment` where
        ``start`` or ``end`` is given, or waveforms: the X of a pipeline.
    y : ndarray of shape (n_utterances,), dtype=object
        Emotion labels; ``None`` where missing, as in the next two.
    speakers : ndarray of shape (n_utterances,), dtype=object
        Speaker labels.
    genders : ndarray of shape (n_utterances,), dtype=object
        Genders of the speakers.
    emotions : list of str
        The emotion labels that occur, sorted.

    See Also
    --------
    load_manifest : Read a corpus from a table of any origin.
    make_emotional_speech : Make a corpus in memory.

    Notes
    -----
    To bring a corpus into memory, load its audio and keep its table::

        loaded = AudioLoader(sampling_rate=16000).fit_transform(corpus.audio)
        corpus = Corpus(corpus.table, waveforms=loaded, sampling_rate=16000)

    Waveforms are not resampled on the way through a pipeline, and arrays do not
    tell their rate: every step takes them to have its own ``sampling_rate``.
    ``serkit.evaluation.compare`` refuses steps of another rate than the corpus.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.datasets import Corpus
    >>> corpus = Corpus(
    ...     {"speaker": ["a", "a", "b"], "emotion": ["anger", "sadness", "anger"]},
    ...     waveforms=[np.zeros(8000), np.zeros(16000), np.zeros(16000)],
    ...     sampling_rate=16000,
    ... )
    >>> corpus[corpus.y == "anger"].speakers
    array(['a', 'b'], dtype=object)
    >>> corpus.describe()
            gender  anger  sadness  all  duration
    speaker
    a         <NA>      1        1    2       1.5
    b         <NA>      1        0    1       1.0
    all       <NA>      2        1    3       2.5
    """

    def __init__(
        self,
        table: Any,
        *,
        root: str | os.PathLike | None = None,
        waveforms: Sequence[np.ndarray] | np.ndarray | None = None,
        sampling_rate: int | None = None,
        name: str | None = None,
    ):
        self._table = check_table(table, in_memory=waveforms is not None)
        self._waveforms = None
        if waveforms is not None:
            self._waveforms = check_waveforms(waveforms, len(self._table), sampling_rate)
            lengths = np.array([len(waveform) for waveform in self._waveforms], dtype=float)
            self._table["duration"] = lengths / sampling_rate
        elif sampling_rate is not None:
            raise ValueError(
                "sampling_rate is that of waveforms; audio files carry their own: "
                "choose the rate at which AudioLoader returns them"
            )
        self.root = None if root is None else Path(root).expanduser().absolute()
        self.sampling_rate = sampling_rate
        self.name = name

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the table, one row per utterance."""
        return self._table.copy()

    @property
    def audio(self) -> np.ndarray:
        """Paths, parts of files or waveforms, one per utterance."""
        if self._waveforms is not None:
            return self._waveforms.copy()
        folder = os.fspath(self.root or Path.cwd())
        files = [os.path.normpath(os.path.join(folder, file)) for file in self._table["file"]]
        return as_ragged(map(audio_item, files, self._table["start"], self._table["end"]))

    @property
    def y(self) -> np.ndarray:
        """Emotion labels."""
        return self._labels("emotion")

    @property
    def speakers(self) -> np.ndarray:
        """Speaker labels."""
        return self._labels("speaker")

    @property
    def genders(self) -> np.ndarray:
        """Genders of the speakers."""
        return self._labels("gender")

    @property
    def emotions(self) -> list[str]:
        """The emotion labels that occur, sorted."""
        return sorted(self._table["emotion"].dropna().unique())

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, key: Any) -> "Corpus":
        """Return a part: of a slice, a mask, an array of positions or one position.

        A mask leaves out what it says nothing about, such as missing labels.
        """
        if isinstance(key, str | tuple):
            raise TypeError(
                f"a corpus is indexed by positions or by a mask, not by {key!r}; "
                "for columns use corpus.table, for values corpus.select"
            )
        if hasattr(key, "to_numpy") and pd.api.types.is_bool_dtype(key.dtype):
            key = key.to_numpy(dtype=bool, na_value=False)
        if not isinstance(key, slice):
            key = np.asarray(key, dtype=int if np.size(key) == 0 else None)
        rows = np.atleast_1d(np.arange(len(self))[key])
        part = self._with_table(self._table.iloc[rows].reset_index(drop=True))
        if self._waveforms is not None:
            part._waveforms = self._waveforms[rows]
        return part

    @classmethod
    def concat(
        cls,
        corpora: Iterable["Corpus"],
        *,
        prefix: bool | Sequence[str | None] | None = None,
        name: str | None = None,
    ) -> "Corpus":
        """Put corpora one behind the other.

        Codes of speakers, sentences and sessions mean something within their
        corpus only. They are therefore prefixed, ``"03"`` becoming
        ``"emodb:03"``, when the names of the corpora differ. Parts of one
        corpus, which have one name, stay as they are.

        Parameters
        ----------
        corpora : iterable of Corpus
            All on disk, or all in memory at one sampling rate.
        prefix : sequence of str or None, bool or None, default=None
            One prefix per corpus, ``None`` for none; ``True`` takes the names, ``False`` leaves
            the codes alone: equal codes are then one speaker. ``None`` takes
            the names if they differ.
        name : str or None, default=None
            Name of the result; ``None`` joins the names with ``"+"``.

        Returns
        -------
        corpus : Corpus
            With a column ``corpus`` that holds the name of the origin.

        Raises
        ------
        ValueError
            If files and waveforms, or sampling rates, are mixed; if corpora
            without a name have speakers in common.
        """
        corpora = list(corpora)
        if not corpora:
            raise ValueError("concat needs at least one corpus")
        require_one_rate([corpus.sampling_rate for corpus in corpora])
        names = [corpus.name for corpus in corpora]
        speakers = [set(corpus._table["speaker"].dropna()) for corpus in corpora]
        prefixes = choose_prefixes(names, speakers, prefix)
        tables = [tag(c._table, c.name, text) for c, text in zip(corpora, prefixes, strict=True)]
        root = waveforms = None
        if corpora[0]._waveforms is None:
            root = common_root([corpus.root for corpus in corpora])
            tables = [move_files(t, c.root, root) for t, c in zip(tables, corpora, strict=True)]
        else:
            waveforms = np.concatenate([corpus.audio for corpus in corpora])
        return cls(
            pd.concat(tables, ignore_index=True),
            root=root,
            waveforms=waveforms,
            sampling_rate=corpora[0].sampling_rate,
            name=name or "+".join(dict.fromkeys(filter(None, names))) or None,
        )

    def select(self, **conditions: Any) -> "Corpus":
        """Return the utterances that have given values.

        Parameters
        ----------
        **conditions : value or list of values
            Column and what it has to be; all conditions have to hold.

        Returns
        -------
        corpus : Corpus
            In the order of this one.

        Raises
        ------
        ValueError
            If there is no such column, or a value occurs nowhere in it.

        Examples
        --------
        >>> from serkit.datasets import Corpus
        >>> corpus = Corpus({"file": ["1.wav", "2.wav"], "speaker": ["03", "08"]})
        >>> corpus.select(speaker="08").table["file"].tolist()
        ['2.wav']
        """
        return self[matching_rows(self._table, conditions)]

    def map_labels(self, mapping: Mapping[str, str], *, drop_unmapped: bool = False) -> "Corpus":
        """Rename or merge emotion labels.

        Parameters
        ----------
        mapping : dict of str to str
            New label of each old one. It may name labels that do not occur, so
            that one mapping serves several corpora.
        drop_unmapped : bool, default=False
            Drop the utterances whose label is not in the mapping, rather than
            leave them as they are.

        Returns
        -------
        corpus : Corpus

        Raises
        ------
        ValueError
            If no label of the mapping occurs.

        Examples
        --------
        >>> from serkit.datasets import Corpus
        >>> corpus = Corpus({"file": ["1.wav", "2.wav"], "emotion": ["anger", "calm"]})
        >>> corpus.map_labels({"calm": "neutral"}).emotions
        ['anger', 'neutral']
        """
        if not set(mapping) & set(self.emotions):
            raise ValueError(
                f"none of the labels {listed(mapping)} occurs; the corpus has "
                f"{listed(self.emotions)}"
            )
        kept = self
        if drop_unmapped:
            kept = self[self._table["emotion"].isin(list(mapping)).to_numpy()]
        emotion = kept._table["emotion"].replace(dict(mapping))
        return kept._with_table(kept._table.assign(emotion=emotion))

    def check_audio(
        self,
        *,
        on_error: str = "raise",
        min_duration: float = 0.0,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
    ) -> tuple["Corpus", pd.DataFrame]:
        """Decode all audio and find what is missing, corrupt, empty or too short.

        Parameters
        ----------
        on_error : {"raise", "skip"}, default="raise"
            Raise one error that lists all bad utterances, or leave them out.
        min_duration : float, default=0.0
            Shorter utterances are bad; in seconds.
        n_jobs : int or None, default=None
            Number of parallel jobs over utterances.
        verbose : int or bool, default=0
            Show a progress bar when positive.

        Returns
        -------
        corpus : Corpus
            The good utterances, with ``duration`` as measured.
        report : DataFrame
            The bad ones: their row in this corpus (index), ``file`` and ``reason``.

        Raises
        ------
        ValueError
            If utterances are bad and ``on_error="raise"``.
        """
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
        durations, reasons = measure_audio(
            self.audio, self.sampling_rate, min_duration, n_jobs=n_jobs, verbose=verbose
        )
        report = report_bad(self._table["file"], reasons, on_error=on_error)
        measured = self._with_table(self._table.assign(duration=durations))
        return measured[np.array([reason is None for reason in reasons], dtype=bool)], report

    def describe(self) -> pd.DataFrame:
        """Count utterances per speaker and emotion.

        Returns
        -------
        counts : DataFrame
            One row per speaker and a last one for all, with ``gender``, one
            column per emotion, ``all``, and ``duration`` in seconds. ``"?"``
            stands for a missing label; a label that has one of these names
            itself is put in quotes: ``"'all'"``.
        """
        return count_utterances(self._table)

    def __repr__(self) -> str:
        return "\n  ".join(self._summary())

    def _repr_html_(self) -> str:
        head, *rest = map(escape, self._summary())
        counts = self.describe().to_html(max_rows=30, float_format="{:.1f}".format)
        return f"<div><strong>{head}</strong><br>{'<br>'.join(rest)}{counts}</div>"

    def _summary(self) -> list[str]:
        if self._waveforms is None:
            place = f"files in {self.root or 'the working folder'}"
        else:
            place = f"waveforms in memory at {self.sampling_rate} Hz"
        return summary_lines(self._table, name=self.name, place=place)

    def _labels(self, column: str) -> np.ndarray:
        return self._table[column].to_numpy(dtype=object, na_value=None)

    def _with_table(self, table: pd.DataFrame) -> "Corpus":
        other = copy.copy(self)
        other._table = table
        return other
