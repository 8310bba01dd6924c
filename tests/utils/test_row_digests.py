import numpy as np
import pandas as pd
import pytest

from serkit.utils import row_digests

ROWS = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "X",
    [
        ROWS.astype(np.float32),
        ROWS.tolist(),
        pd.DataFrame(ROWS, columns=["a", "b", "c"]),
        pd.Series(list(ROWS)),
    ],
    ids=["single precision", "lists", "DataFrame", "Series"],
)
def test_rows_are_known_again_in_every_container(X):
    np.testing.assert_array_equal(row_digests(X), row_digests(ROWS))
