import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.feature_extraction import FrameScaler
from serkit.neural_network import CRNNClassifier
from serkit.pipeline import Pipeline
from serkit.preprocessing import WienerFilter
from serkit.utils import (
    check_speakers,
    content_digest,
    estimator_digest,
    import_optional,
    parallel_map,
)


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_come_in_order(n_jobs):
    assert list(parallel_map(abs, range(-20, 0), n_jobs=n_jobs)) == list(range(20, 0, -1))


def test_backend_can_be_chosen_outside():
    with joblib.parallel_config("threading", n_jobs=2):
        assert list(parallel_map(str, [1, 2])) == ["1", "2"]


def test_progress_is_shown_on_request(capsys):
    list(parallel_map(abs, [1, 2], verbose=1, description="Working"))
    assert "Working" in capsys.readouterr().err
    list(parallel_map(abs, [1, 2]))
    assert capsys.readouterr().err == ""


def test_results_are_lazy():
    seen = []
    results = parallel_map(seen.append, [1, 2, 3])
    next(results)
    assert seen == [1]


def test_content_digest_depends_on_content(tmp_path):
    x = np.arange(4.0)
    assert content_digest(x) == content_digest(x.copy())
    different = [x[::-1], x.astype(np.float32), x.reshape(2, 2), x + 1]
    assert len({content_digest(value) for value in [x, *different]}) == 5
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"same")
    assert content_digest(tmp_path / "a.wav") == content_digest(tmp_path / "b.wav")
    assert content_digest(tmp_path / "a.wav") == content_digest(b"same")


def test_estimator_digest_leaves_out_what_has_no_effect():
    def pipeline(size=3, C=1.0, **options):
        return make_pipeline(WienerFilter(size, **options), StandardScaler(), SVC(C=C))

    digest = estimator_digest(pipeline())
    assert estimator_digest(pipeline(n_jobs=2, verbose=1)) == digest
    assert estimator_digest(pipeline(size=5)) != digest
    assert estimator_digest(pipeline(C=2.0)) != digest
    X = np.random.default_rng(0).uniform(-1, 1, size=(6, 5))
    fitted = pipeline().fit(X, [0, 1] * 3)
    assert estimator_digest(fitted) == digest


def test_estimator_digest_is_equal_in_another_process():
    code = (
        "from serkit.preprocessing import WienerFilter\n"
        "from serkit.utils import estimator_digest\n"
        "print(estimator_digest(WienerFilter(5)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == estimator_digest(WienerFilter(5))


class Placed(BaseEstimator):
    """Has parameters that have no effect on other estimators."""

    def __init__(self, location=0, memory=0, n_jobs=1):
        self.location = location
        self.memory = memory
        self.n_jobs = n_jobs


def test_parameters_are_left_out_by_class_not_by_name(tmp_path):
    digest = estimator_digest(Placed())
    assert estimator_digest(Placed(n_jobs=2)) == digest
    assert estimator_digest(Placed(location=1)) != digest
    assert estimator_digest(Placed(memory=1)) != digest
    steps = [("scaler", StandardScaler())]
    for kind in (SklearnPipeline, Pipeline):
        assert estimator_digest(kind(steps, memory=tmp_path)) == estimator_digest(kind(steps))


def test_containers_and_numbers_are_described_by_value():
    weights = {"anger": 1.0, 2: 2.0}
    same = {2: np.float64(2.0), "anger": 1.0}
    assert estimator_digest(SVC(class_weight=same)) == estimator_digest(SVC(class_weight=weights))
    different = [{"a": 1}, {"a": 2}, ["a", 1], {"a", 1}, np.array([1]), np.array([1], object), b"a"]
    assert len({*map(estimator_digest, different)}) == len(different)


def test_optional_import_says_how_to_install():
    with pytest.raises(
        ImportError, match=r'Thing needs the package .*pip install "serkit\[plot\]"'
    ):
        import_optional("no_such_package", extra="plot", caller="Thing")


def test_speakers_are_counted():
    assert check_speakers(["03", None], [1, 2]).tolist() == ["03", None]
    with pytest.raises(ValueError, match="speakers has 1 labels for 2 utterances"):
        check_speakers(["03"], [1, 2])


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    before = content_digest(path)
    with monkeypatch.context() as patched:
        patched.setattr(type(path), "read_bytes", lambda self: pytest.fail("read again"))
        assert content_digest(path) == before
    path.write_bytes(b"other")
    assert content_digest(path) == content_digest(b"other") != before


def test_frozen_networks_that_learnt_the_same_have_one_digest():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 1, 4, 6))

    def frozen(seed=0, shift=0.0):
        crnn = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=seed)
        return FrozenEstimator(make_pipeline(FrameScaler(), crnn).fit(X + shift, [0, 1] * 4))

    first = estimator_digest(frozen())
    assert first == estimator_digest(frozen())
    assert first != estimator_digest(frozen(seed=1))
    # Only what the scaler has learnt differs.
    assert first != estimator_digest(frozen(shift=100.0))
