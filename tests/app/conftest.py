"""A small folder of results: four speakers in files, three pipelines, kept models."""

import warnings

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_manifest, make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import LogMelSpectrogram, TemporalPooling
from serkit.neural_network import ACRNNClassifier
from serkit.preprocessing import AudioLoader


def _head():
    return [("load", AudioLoader()), ("mel", LogMelSpectrogram(n_mels=16, hop_length=640))]


def write_corpus(folder):
    made = make_emotional_speech(4, emotions=("anger", "sadness"), n_sentences=3, random_state=0)
    table = made.table
    table["file"] = [f"{number:02d}.wav" for number in range(len(table))]
    folder.mkdir()
    for file, waveform in zip(table["file"], made.audio, strict=True):
        soundfile.write(folder / file, waveform, made.sampling_rate)
    table[["file", "speaker", "gender", "emotion"]].to_csv(folder / "corpus.csv", index=False)
    return load_manifest(folder / "corpus.csv", name="made up")


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app") / "results"
    corpus = write_corpus(folder.parent / "corpus")
    pipelines = {
        "SVM": Pipeline(
            [*_head(), ("pool", TemporalPooling()), ("scale", StandardScaler()), ("svm", SVC())]
        ),
        "weak": Pipeline([*_head(), ("pool", TemporalPooling(("min",))), ("svm", SVC(C=1e-6))]),
        "ACRNN": Pipeline([*_head(), ("net", _network())]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(corpus, pipelines, results_dir=folder, keep_models=True, verbose=0).to_html(
            folder / "report.html"
        )
    return folder


def _network():
    return ACRNNClassifier(
        n_conv_layers=2,
        conv_channels=(2, 2),
        linear_size=4,
        lstm_hidden_size=4,
        fc_size=4,
        max_epochs=1,
        random_state=0,
    )


@pytest.fixture
def clip(tmp_path):
    """Return the bytes of a clip of three seconds."""
    rng = np.random.default_rng(0)
    path = tmp_path / "clip.wav"
    soundfile.write(path, 0.1 * rng.normal(size=48000), 16000)
    return path.read_bytes()
