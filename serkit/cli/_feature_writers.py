"""Files of features: a table in memory until it is written, frames one utterance after another."""

import os
import secrets
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["FramesWriter", "TableWriter"]


class _Writer:
    """Write to a file that gets its name once it is complete.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Attributes
    ----------
    rows : list of int
        Utterances that were added.
    names : list of str or None
        Names of the features, none of frames; set from outside.
    n_features : int
        How many numbers an utterance has, or a frame of it.
    """

    def __init__(self, path: Path):
        self.path = path
        self.rows: list[int] = []
        self.names: list[str] | None = None
        self.n_features = 0
        self._unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *error: object) -> None:
        self._unfinished.unlink(missing_ok=True)

    def _finish(self) -> None:
        os.replace(self._unfinished, self.path)


class TableWriter(_Writer):
    """Write functionals, one row per utterance, as CSV, parquet or npz."""

    def __init__(self, path: Path):
        super().__init__(path)
        self._values: list[np.ndarray] = []

    def add(self, row: int, value: np.ndarray) -> None:
        """Add the features of an utterance."""
        self.rows.append(row)
        self._values.append(value)
        self.n_features = len(value)

    def write(self, known: pd.DataFrame) -> None:
        """Write all that was added, with what is known of every utterance in front."""
        values = np.stack(self._values)
        suffix = self.path.suffix.lower()
        if suffix == ".npz":
            with zipfile.ZipFile(self._unfinished, "w") as archive:
                for name, column in _arrays(known).items():
                    _write_array(archive, name, column)
                _write_array(archive, "feature_names", np.array(self.names, dtype=str))
                _write_array(archive, "features", values)
        else:
            features = pd.DataFrame(values, columns=self.names)
            table = pd.concat([known, features], axis=1)
            if suffix == ".csv":
                table.to_csv(self._unfinished, index=False)
            else:
                table.to_parquet(self._unfinished, engine="pyarrow", index=False)
        self._finish()


class FramesWriter(_Writer):
    """Write frames as npz, each utterance at once: memory stays flat.

    ``frames_0`` and so on are arrays of shape (n_channels, n_bins, n_frames), in the
    order of ``file``.
    """

    def __init__(self, path: Path):
        super().__init__(path)
        self._archive = zipfile.ZipFile(self._unfinished, "w", zipfile.ZIP_STORED)

    def __exit__(self, *error: object) -> None:
        self._archive.close()
        super().__exit__(*error)

    def add(self, row: int, value: np.ndarray) -> None:
        """Write the frames of an utterance."""
        _write_array(self._archive, f"frames_{len(self.rows)}", value)
        self.rows.append(row)
        self.n_features = value.shape[-2]

    def write(self, known: pd.DataFrame) -> None:
        """Write what is known of every utterance."""
        for name, column in _arrays(known).items():
            _write_array(self._archive, name, column)
        self._archive.close()
        self._finish()


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


def _arrays(known: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return columns as arrays that hold no objects: missing text is empty."""
    return {
        name: (
            column.to_numpy(dtype=float, na_value=np.nan)
            if pd.api.types.is_numeric_dtype(column.dtype)
            else column.fillna("").to_numpy(dtype=str)
        )
        for name, column in known.items()
    }
