"""Folders of results are read without the corpus."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from serkit.datasets import Corpus
from serkit.evaluation import benchmark, compare, load_results


def run(features, folder, names=("Bayes", "chance"), **kwargs):
    corpus, X = features
    made = {"Bayes": GaussianNB(), "chance": DummyClassifier()}
    pipelines = {name: made[name] for name in names}
    return compare(corpus, pipelines, X=X, results_dir=folder, verbose=0, **kwargs)


def assert_same(read, result):
    pd.testing.assert_frame_equal(read.folds, result.folds)
    pd.testing.assert_frame_equal(read.predictions, result.predictions)
    pd.testing.assert_frame_equal(read.utterances, result.utterances)
    for name in ("corpus", "protocol", "speaker_dependent", "crossing", "failures", "root"):
        assert getattr(read, name) == getattr(result, name)


def test_what_is_read_is_what_was_found(features, tmp_path):
    result = run(features, tmp_path, seeds=[0, 1])
    (read,) = load_results(tmp_path).values()
    assert_same(read, result)


def test_folds_have_the_keys_that_they_had_without_a_manifest(features, tmp_path):
    run(features, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "folds").iterdir()}
    for path in (tmp_path / "comparisons").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="Run the same comparison again"):
        load_results(tmp_path)
    run(features, tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "folds").iterdir()}
    assert after == before  # found, not computed
    assert list(load_results(tmp_path))


def test_runs_on_the_same_folds_are_one_result(features, tmp_path):
    run(features, tmp_path, ["Bayes"])
    run(features, tmp_path, ["chance"])
    (read,) = load_results(tmp_path).values()
    assert read.pipelines == ["Bayes", "chance"]


def test_the_latest_of_one_name_counts(features, tmp_path):
    corpus, X = features
    for pipeline in (GaussianNB(), DummyClassifier()):
        result = compare(corpus, {"one": pipeline}, X=X, results_dir=tmp_path, verbose=0)
    (read,) = load_results(tmp_path).values()
    assert_same(read, result)


class Stopped(GaussianNB):
    def fit(self, X, y):
        raise KeyboardInterrupt


def test_what_was_stopped_before_its_first_fold_hides_nothing(features, tmp_path):
    corpus, X = features
    with pytest.raises(KeyboardInterrupt):
        compare(corpus, {"one": Stopped()}, X=X, results_dir=tmp_path, verbose=0)
    with pytest.raises(ValueError, match="no fold of what was begun there is finished"):
        load_results(tmp_path)
    result = compare(corpus, {"one": GaussianNB()}, X=X, results_dir=tmp_path, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        compare(corpus, {"one": Stopped()}, X=X, results_dir=tmp_path, verbose=0)
    (read,) = load_results(tmp_path).values()
    pd.testing.assert_frame_equal(read.predictions, result.predictions)


def test_other_utterances_of_the_same_corpus_are_another_result(features, tmp_path):
    corpus, X = features
    run(features, tmp_path)
    run((corpus[:36], X[:36]), tmp_path)
    read = load_results(tmp_path)
    assert [result.predictions["row"].nunique() for result in read.values()] == [48, 36]
    assert len(set(read)) == 2


def test_what_is_not_finished_is_said(features, tmp_path):
    result = run(features, tmp_path)
    next((tmp_path / "folds").iterdir()).unlink()
    (read,) = load_results(tmp_path).values()
    assert len(read.folds) == len(result.folds) - 1
    assert any("not finished" in caution for caution in read.cautions())


def test_damaged_manifests_are_passed_over(features, tmp_path):
    run(features, tmp_path)
    for number, text in enumerate(["{", "[]", json.dumps({"corpus": 1})]):
        (tmp_path / "comparisons" / f"{number}.json").write_text(text)
    assert len(load_results(tmp_path)) == 1


def test_files_and_genders_are_there(tmp_path):
    import soundfile

    for name in "abcd":
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(160), 16000)
    table = {
        "file": [f"{name}.wav" for name in "abcd"],
        "speaker": ["s", "s", "t", "t"],
        "gender": ["female", "female", None, None],
        "emotion": ["anger", "calm"] * 2,
    }
    corpus = Corpus(table, root=tmp_path, name="files")
    X = np.arange(4.0)[:, None]
    compare(corpus, {"c": DummyClassifier()}, X=X, results_dir=tmp_path / "r", verbose=0)
    (read,) = load_results(tmp_path / "r").values()
    assert read.root == tmp_path
    assert read.utterances["file"].tolist() == table["file"]
    assert read.utterances["gender"].tolist() == table["gender"]


def test_benchmarks_are_read_too(features, tmp_path):
    corpus, X = features
    del X
    pipelines = {"chance": DummyClassifier()}
    benchmark([corpus], pipelines, results_dir=tmp_path, verbose=0)
    (read,) = load_results(tmp_path).values()
    assert read.pipelines == ["chance"]


def test_what_is_no_folder_of_results(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_results(tmp_path / "none")
    with pytest.raises(ValueError, match="no fold is finished"):
        load_results(tmp_path)
