import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serkit.evaluation import compare
from serkit.evaluation._features import split_stateless
from serkit.evaluation._provenance import (
    corpus_digest,
    describe_code,
    result_key,
)
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.preprocessing import AudioLoader
from serkit.utils import describe_estimator

LABELS = np.array(["x", "y"], dtype=object)


def key(estimator):
    return result_key(pipeline=describe_estimator(estimator))


def test_where_a_cache_lies_does_not_matter(tmp_path):
    assert key(CachedTransformer(TemporalPooling(), tmp_path)) == key(
        CachedTransformer(TemporalPooling())
    )


def test_functions_count_with_code_and_bound_values():
    def scaled(factor):
        return FunctionTransformer(lambda X: factor * X)

    assert key(scaled(1)) == key(scaled(1)) != key(scaled(2))
    assert key(scaled(1)) != key(FunctionTransformer(lambda X: X))
    assert key(FunctionTransformer(np.log)) != key(FunctionTransformer(np.exp))


def test_frozen_estimators_count_with_what_they_learnt():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    one = LogisticRegression().fit(X, [0, 0, 0, 1])
    other = LogisticRegression().fit(X, [0, 1, 1, 1])
    assert key(one) == key(other)
    assert key(FrozenEstimator(one)) != key(FrozenEstimator(other))


def test_columns_of_a_table_count():
    X = pd.DataFrame({"pitch": [1.0, 2.0], "energy": [3.0, 4.0]})
    renamed = X.set_axis(["energy", "pitch"], axis=1)
    assert corpus_digest(X, LABELS, LABELS) == corpus_digest(X.copy(), LABELS, LABELS)
    assert corpus_digest(X, LABELS, LABELS) != corpus_digest(renamed, LABELS, LABELS)


def test_the_source_of_serkit_counts(monkeypatch):
    before = describe_code(StandardScaler())
    monkeypatch.setattr("serkit.evaluation._provenance.source_digest", lambda: "edited")
    assert describe_code(StandardScaler()) != before


def edited(value):
    namespace = {"__name__": "users_script"}
    exec(f"def g(X): return X + {value}", namespace)
    return FunctionTransformer(namespace["g"])


def test_an_edited_function_gives_new_results(features, tmp_path):
    corpus, X = features
    for value in (0, 1):
        pipelines = {"own": make_pipeline(edited(value), DummyClassifier())}
        compare(corpus, pipelines, X=X, results_dir=tmp_path, verbose=0)
    assert len(list((tmp_path / "folds").glob("*.json"))) == 8


@pytest.mark.parametrize(
    "first", ["passthrough", Pipeline([("a", "passthrough")])], ids=["step", "pipeline"]
)
def test_pipelines_may_begin_with_nothing(features, first):
    corpus, X = features
    pipeline = make_pipeline(first, LogisticRegression())
    plain = compare(corpus, {"any": LogisticRegression()}, X=X, verbose=0)
    result = compare(corpus, {"any": pipeline}, X=X, verbose=0)
    pd.testing.assert_frame_equal(result.predictions, plain.predictions)


def test_a_loader_that_compares_rates_runs_on_whole_parts():
    pipeline = make_pipeline(AudioLoader(None), MFCC(), TemporalPooling(), LogisticRegression())
    assert split_stateless(pipeline)[0] is None
    pipeline.set_params(audioloader__sampling_rate=16000)
    assert len(split_stateless(pipeline)[0]) == 3


def test_audio_counts_by_content_not_by_name(tmp_path):
    def digest(*contents, folder):
        (tmp_path / folder).mkdir()
        paths = [tmp_path / folder / f"{i}.wav" for i in range(2)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return corpus_digest(list(map(str, paths)), LABELS, LABELS)

    first = digest(b"1", b"2", folder="a")
    assert first == digest(b"1", b"2", folder="b") != digest(b"1", b"3", folder="c")
