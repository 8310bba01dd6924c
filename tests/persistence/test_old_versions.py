"""Models that earlier versions have saved are still loaded, and predict what they did."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import serkit
from serkit.persistence import describe

ASSETS = Path(__file__).parents[1] / "assets" / "models"
FILES = sorted(path for path in ASSETS.iterdir() if path.suffix in (".serkit", ".safetensors"))


def test_there_is_a_model_of_every_format():
    formats = {describe(path)["format"] for path in FILES}
    assert formats == {1, 2}
    assert all(path.stat().st_size < 50_000 for path in ASSETS.iterdir())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_old_model_predicts_what_it_did(path):
    known = np.load(path.with_suffix(".npz"))
    method = str(known["method"]) if "method" in known else "predict_proba"
    model = serkit.load(path)
    X = list(known["X"]) if "ragged" in known else known["X"]
    found = getattr(model, method)(X)
    assert_allclose(found, known["expected"], rtol=1e-4, atol=1e-5)


def test_a_single_file_says_what_it_is():
    found = describe(ASSETS / "format-1-crnn.safetensors")
    assert found["class"] == "serkit.neural_network:CRNNClassifier"
    assert found["serkit"] == "0.1.0.dev0"
    assert found["data"] is found["card"] is None
