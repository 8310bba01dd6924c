import numpy as np
import pandas as pd
import pytest
import scipy.stats

from serkit.feature_extraction import TemporalPooling
from serkit.utils import as_ragged

ALL = (
    "mean", "std", "min", "max", "range", "median", "iqr", "skewness", "kurtosis", "slope", "p5",
    "p97.5",
)  # fmt: skip


@pytest.fixture
def utterances():
    rng = np.random.default_rng(0)
    return as_ragged([rng.gamma(2, size=(2, 3, n)).astype(np.float32) for n in (30, 7)])


def test_statistics(utterances):
    pooled = TemporalPooling(ALL).fit_transform(utterances)
    assert pooled.shape == (2, 12 * 6)
    assert pooled.dtype == np.float32
    for row, frames in zip(pooled, utterances, strict=True):
        x = frames.astype(np.float64)
        slope = np.polyfit(np.arange(x.shape[-1]), x.reshape(6, -1).T, 1)[0].reshape(2, 3)
        expected = [
            x.mean(-1), x.std(-1), x.min(-1), x.max(-1), np.ptp(x, -1), np.median(x, -1),
            scipy.stats.iqr(x, -1), scipy.stats.skew(x, -1), scipy.stats.kurtosis(x, -1), slope,
            np.percentile(x, 5, axis=-1), np.percentile(x, 97.5, axis=-1),
        ]  # fmt: skip
        np.testing.assert_allclose(row, np.concatenate([e.ravel() for e in expected]), rtol=2e-5)


def test_names_stand_where_the_values_are(utterances):
    pooling = TemporalPooling(("min", "p90")).fit(utterances)
    pooled = pooling.set_output(transform="pandas").transform(pd.Series(list(utterances), [7, 9]))
    assert list(pooled.index) == [7, 9]
    assert list(pooled.columns[:4]) == ["c0_b0_min", "c0_b1_min", "c0_b2_min", "c1_b0_min"]
    assert pooled.loc[9, "c1_b2_min"] == utterances[1][1, 2].min()
    np.testing.assert_allclose(
        pooled.loc[7, "c0_b1_p90"], np.percentile(utterances[0][0, 1], 90), rtol=1e-6
    )


@pytest.mark.parametrize("n_frames", [1, 2, 500])
def test_what_does_not_vary_is_finite(n_frames):
    frames = np.full((1, 1, n_frames), 0.1, dtype=np.float32)
    (row,) = TemporalPooling(ALL).fit_transform([frames])
    expected = [0.1, 0, 0.1, 0.1, 0, 0.1, 0, 0, 0, 0, 0.1, 0.1]
    np.testing.assert_allclose(row, expected, atol=1e-6)


def test_numeric_frames_pool_alike():
    X = np.random.default_rng(0).normal(size=(4, 3, 9)).astype(np.float32)
    pooled = TemporalPooling().fit_transform(X)
    np.testing.assert_array_equal(pooled, TemporalPooling().fit_transform(list(X)))
    np.testing.assert_allclose(pooled[:, :3], X.mean(axis=-1), rtol=1e-5)


@pytest.mark.parametrize("statistic", ["average", "p101", "p", "p-1"])
def test_unknown_statistics_are_refused(utterances, statistic):
    with pytest.raises(ValueError, match=f"unknown statistic '{statistic}'; choose from mean"):
        TemporalPooling((statistic,)).fit_transform(utterances)
    with pytest.raises(ValueError, match="statistics is empty"):
        TemporalPooling(()).fit_transform(utterances)
