import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from serkit.evaluation._provenance import corpus_digest, describe_pipeline, result_key
from serkit.feature_extraction import CachedTransformer, TemporalPooling

LABELS = np.array(["x", "y"], dtype=object)


def key(estimator):
    return result_key(pipeline=describe_pipeline(estimator))


def test_where_a_cache_lies_does_not_matter(tmp_path):
    assert key(CachedTransformer(TemporalPooling(), tmp_path)) == key(
        CachedTransformer(TemporalPooling())
    )


def test_functions_count_with_source_and_bound_values():
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


def test_audio_counts_by_content_not_by_name(tmp_path):
    def digest(*contents, folder):
        (tmp_path / folder).mkdir()
        paths = [tmp_path / folder / f"{i}.wav" for i in range(2)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return corpus_digest(list(map(str, paths)), LABELS, LABELS)

    first = digest(b"1", b"2", folder="a")
    assert first == digest(b"1", b"2", folder="b") != digest(b"1", b"3", folder="c")
