"""The model card, and what is told of a file without loading it."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import serkit
from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.persistence import describe
from serkit.pipeline import make_pipeline
from serkit.preprocessing import WienerFilter

CORPUS = make_emotional_speech(n_speakers=3, n_sentences=1, random_state=0)


@pytest.fixture(scope="module")
def model():
    features = make_pipeline(MFCC(n_mfcc=5), TemporalPooling())
    model = make_pipeline(CachedTransformer(features), StandardScaler(), SVC())
    return model.fit(CORPUS.audio, CORPUS.y)


@pytest.fixture(scope="module")
def result(model):
    return compare(CORPUS, {"SVM | linear": model}, verbose=0)


def test_a_full_card(model, result, tmp_path):
    file = tmp_path / "model.serkit"
    serkit.save(
        model,
        file,
        corpus=CORPUS,
        result=result,
        intended_use="Sorting recordings of plays.",
        licence="CC BY 4.0",
    )
    card = (tmp_path / "model.serkit.md").read_text()
    parts = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert parts == [
        "Model",
        "Intended use",
        "Training data",
        "Evaluation",
        "Limits",
        "Versions",
    ]
    for step in ("MFCC(n_mfcc=5)", "TemporalPooling()", "StandardScaler()", "SVC()"):
        assert f". `{step}`" in card
    assert "Sorting recordings of plays." in card
    assert "Licence of the training data: CC BY 4.0." in card
    assert f"{len(CORPUS)} utterances of 3 speakers" in card
    assert result.protocol in card
    assert r"| SVM \| linear |" in card
    for _, row in result.per_speaker().iterrows():
        assert f"| {row['speaker']} | {row['UAR']:.3f}" in card
    assert f"| scikit-learn | {__import__('sklearn').__version__} |" in card


def test_a_card_of_what_is_not_known(tmp_path):
    file = tmp_path / "filter.serkit"
    serkit.save(WienerFilter(), file)
    card = (tmp_path / "filter.serkit.md").read_text()
    assert "Corpus: not stated." in card
    assert "Licence of the training data: not stated." in card
    assert "nothing is known of how well it does" in card
    file.unlink()
    (tmp_path / "filter.serkit.md").unlink()
    serkit.save(WienerFilter(), file, card=False)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_what_a_file_tells_without_being_loaded(model, result, tmp_path):
    file = tmp_path / "model.serkit"
    serkit.save(model, file, corpus=CORPUS, result=result, card=False)
    found = describe(file)
    assert found["class"] == "serkit.pipeline:Pipeline"
    assert "serkit.feature_extraction:MFCC" in found["classes"]
    assert found["serkit"] == serkit.__version__
    assert found["size"] == file.stat().st_size
    assert found["data"]["speakers"] == sorted(set(CORPUS.speakers))
    assert sum(found["data"]["emotions"].values()) == len(CORPUS)
    assert found["card"]["labels"] == CORPUS.emotions
    assert len(found["card"]["evaluation"]["per_speaker"]) == 3


def test_a_fingerprint_is_of_audio_labels_and_speakers(model, tmp_path):
    def fingerprint(corpus):
        serkit.save(model, tmp_path / "model.serkit", corpus=corpus, card=False)
        return describe(tmp_path / "model.serkit")["data"]

    first = fingerprint(CORPUS)
    shuffled = fingerprint(CORPUS[np.random.default_rng(0).permutation(len(CORPUS))])
    assert shuffled == first
    fewer = fingerprint(CORPUS[1:])
    assert fewer["fingerprint"] != first["fingerprint"]
    assert set(fewer["utterances"]) < set(first["utterances"])
    other_labels = CORPUS.map_labels({CORPUS.emotions[0]: "other"})
    assert fingerprint(other_labels)["fingerprint"] != first["fingerprint"]
    assert fingerprint(other_labels)["utterances"] == first["utterances"]


def test_results_of_other_kinds_are_what_they_print(tmp_path):
    serkit.save(WienerFilter(), tmp_path / "filter.serkit", result="UAR 0.61 on IEMOCAP")
    assert "UAR 0.61 on IEMOCAP" in (tmp_path / "filter.serkit.md").read_text()
