"""Pretrained encoders: the values of transformers, whatever the batches; weights from files."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import serkit
from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import CachedTransformer, PretrainedEmbedding, TemporalPooling
from serkit.preprocessing import AudioLoader, PreEmphasis
from serkit.utils import SignalWarning, as_ragged, estimator_digest

transformers = pytest.importorskip("transformers")
hub = pytest.importorskip("huggingface_hub")

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (16, 16, 16),
    "conv_kernel": (10, 3, 2),
    "conv_stride": (5, 2, 2),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "initializer_range": 0.2,
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
WHISPER = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 24,
    "num_mel_bins": 20,
    "max_source_positions": 50,  # pieces of one second, not of thirty
    "init_std": 0.2,
}
FAMILIES = {
    "wav2vec2": ("Wav2Vec2", SIZES),
    "wav2vec2-large": ("Wav2Vec2", SIZES | LARGE),
    "hubert": ("Hubert", SIZES),
    "hubert-large": ("Hubert", SIZES | LARGE),
    "wavlm": ("WavLM", SIZES),
    "wavlm-large": ("WavLM", SIZES | LARGE),
    "whisper": ("Whisper", WHISPER),
}


def save_encoder(folder, family, *, seed=0):
    name, sizes = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(**sizes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = getattr(transformers, f"{name}Model")(config)
    model.save_pretrained(folder)
    if family == "whisper":
        extractor = transformers.WhisperFeatureExtractor(feature_size=20, chunk_length=1)
    else:
        is_large = family.endswith("large")
        extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=is_large)
    extractor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder_of(family):
        if family not in made:
            made[family] = save_encoder(tmp_path_factory.mktemp(family), family)
        return made[family]

    return folder_of


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    lengths = (3000, 5000, 3000, 8000, 5500, 3000, 3001)
    return as_ragged(0.1 * rng.normal(size=n).astype(np.float32) for n in lengths)


@pytest.mark.parametrize("family", FAMILIES)
def test_batches_and_neighbours_change_nothing(folders, speech, family):
    embedding = PretrainedEmbedding(folders(family), pooling=None, batch_size=4).fit(speech)
    together = embedding.transform(speech)
    alone = [embedding.transform(speech[row : row + 1])[0] for row in range(len(speech))]
    for one, other in zip(together, alone, strict=True):
        assert one.shape == other.shape
        assert one.shape[:2] == (1, 16)
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=2e-5)
    # Silence behind an utterance is a change of it: the test above can fail.
    longer = as_ragged([np.pad(speech[0], (0, 2000))])
    assert embedding.transform(longer)[0].shape[-1] > together[0].shape[-1]


@pytest.mark.parametrize("family", ["wav2vec2", "wav2vec2-large", "hubert-large", "wavlm"])
@pytest.mark.parametrize("layer", [0, 2, -2, "last", "mean", [1, 3]])
def test_values_are_those_of_transformers(folders, speech, family, layer):
    folder = folders(family)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    inputs = extractor(speech[3], sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        output = model(inputs.input_values, output_hidden_states=True)
    states = (*output.hidden_states[:-1], output.last_hidden_state)
    assert len(states) == 4
    expected = {"last": [3], "mean": [1, 2, 3], 0: [0], 2: [2], -2: [2]}.get(
        layer if not isinstance(layer, list) else None, layer
    )
    expected = sum(states[n][0].numpy() for n in expected) / len(expected)
    got = PretrainedEmbedding(folder, layer, None).fit_transform(speech[3:4])[0]
    np.testing.assert_allclose(got[0].T, expected, atol=1e-5)


def test_whisper_counts_frames_of_speech_only(folders, speech):
    """Every piece of a second is filled up with zeros; those frames are not the utterance's."""
    folder = folders("whisper")
    frames = PretrainedEmbedding(folder, pooling=None).fit_transform(speech)
    assert [one.shape[-1] for one in frames] == [-(-len(one) // 320) for one in speech]
    model = transformers.WhisperModel.from_pretrained(folder).eval()
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    inputs = extractor(speech[3], sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        expected = model.encoder(inputs.input_features).last_hidden_state[0, :25].numpy()
    np.testing.assert_allclose(frames[3][0].T, expected, atol=1e-5)


def test_whisper_takes_long_speech_apart(folders):
    rng = np.random.default_rng(1)
    long = (0.1 * rng.normal(size=40000)).astype(np.float32)
    embedding = PretrainedEmbedding(folders("whisper"), pooling=None).fit([long])
    whole = embedding.transform([long])[0]
    pieces = embedding.transform([long[:16000], long[16000:32000], long[32000:]])
    assert whole.shape == (1, 16, 125)
    np.testing.assert_array_equal(whole, np.concatenate(list(pieces), axis=-1))


def test_pooling(folders, speech):
    folder = folders("hubert")
    frames = [x[0] for x in PretrainedEmbedding(folder, 2, None).fit_transform(speech)]
    mean = np.array([x.mean(axis=1) for x in frames])
    std = np.array([x.std(axis=1) for x in frames])
    for pooling, expected in (
        ("mean", mean),
        ("max", np.array([x.max(axis=1) for x in frames])),
        ("mean_std", np.hstack([mean, std])),
    ):
        embedding = PretrainedEmbedding(folder, 2, pooling)
        np.testing.assert_allclose(embedding.fit_transform(speech), expected, atol=1e-5)
        assert len(embedding.get_feature_names_out()) == expected.shape[1]
    names = embedding.get_feature_names_out()
    assert [names[0], names[16]] == ["hubert0_mean", "hubert0_std"]
    frame = embedding.set_output(transform="pandas").transform(speech)
    assert frame.columns.tolist() == names.tolist()
    assert not hasattr(PretrainedEmbedding(folder, pooling=None), "get_feature_names_out")


def test_in_a_pipeline(folders, speech):
    X = as_ragged([*speech, *(one[:2000] for one in speech[:3])])
    model = make_pipeline(PretrainedEmbedding(folders("wavlm"), "mean"), LogisticRegression())
    y = ["calm"] * 5 + ["anger"] * 5
    assert set(model.fit(X, y).predict(X)) <= {"calm", "anger"}
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert len(pickle.dumps(model[0])) < 3000  # no weights
    assert clone(model[0]).get_params() == model[0].get_params()


def test_short_speech_is_padded(folders):
    embedding = PretrainedEmbedding(folders("wav2vec2")).fit([np.ones(100)])
    with pytest.warns(SignalWarning, match="utterance 1 of fewer than 30 samples"):
        short = embedding.transform([np.ones(100), 0.5 * np.ones(7)])
    assert np.isfinite(short).all()


def test_the_cache_knows_other_weights(folders, speech, tmp_path):
    folder = save_encoder(tmp_path / "model", "wav2vec2")
    cached = CachedTransformer(PretrainedEmbedding(folder), tmp_path / "cache")
    first = cached.fit_transform(speech)
    np.testing.assert_array_equal(cached.transform(speech), first)
    np.testing.assert_allclose(first, PretrainedEmbedding(folder).fit_transform(speech), atol=1e-5)
    save_encoder(folder, "wav2vec2", seed=1)
    other = clone(cached).fit_transform(speech)
    assert not np.allclose(other, first, atol=1e-3)
    with pytest.raises(ValueError, match="not the one that this was fitted with"):
        cached.transform(speech)
    save_encoder(folder, "wav2vec2")
    np.testing.assert_array_equal(cached.transform(speech), first)


def test_what_the_digest_knows(folders, tmp_path):
    folder = folders("wav2vec2")
    digest = estimator_digest(PretrainedEmbedding(folder))
    copied = save_encoder(tmp_path / "elsewhere", "wav2vec2")
    same = PretrainedEmbedding(str(copied), batch_size=3, device="cpu", local_files_only=True)
    assert estimator_digest(same) == digest
    for other in (
        PretrainedEmbedding(folder, 1),
        PretrainedEmbedding(folder, pooling="max"),
        PretrainedEmbedding(folders("hubert")),
    ):
        assert estimator_digest(other) != digest


@pytest.mark.parametrize("cached", [False, True])
def test_a_model_knows_its_weights(speech, tmp_path, cached):
    pytest.importorskip("skops")
    folder = save_encoder(tmp_path / "model", "wav2vec2")
    embedding = PretrainedEmbedding(folder, pooling=None)
    if cached:  # and not the first step
        embedding = CachedTransformer(make_pipeline(PreEmphasis(), embedding), tmp_path / "cache")
    model = make_pipeline(embedding, TemporalPooling(), LogisticRegression())
    y = ["calm", "anger", "calm", "joy", "joy", "joy", "joy"]
    expected = model.fit(speech, y).predict_proba(speech)
    serkit.save(model, tmp_path / "model.serkit", card=False)
    loaded = serkit.load(tmp_path / "model.serkit")
    np.testing.assert_array_equal(loaded.predict_proba(speech), expected)
    save_encoder(folder, "wav2vec2", seed=1)
    for one in (model, loaded):
        with pytest.raises(ValueError, match="not the one that this was fitted with.*fit again"):
            one.predict(speech)
    # The same files elsewhere are the same encoder.
    copied = save_encoder(tmp_path / "elsewhere", "wav2vec2")
    step = loaded[0].transformer_[1] if cached else loaded[0]
    step.set_params(model_name_or_path=copied)
    np.testing.assert_array_equal(loaded.predict_proba(speech), expected)
    assert not np.allclose(model.fit(speech, y).predict_proba(speech), expected)


def test_models_of_a_comparison_know_their_weights(tmp_path):
    pytest.importorskip("skops")
    folder = save_encoder(tmp_path / "model", "wav2vec2")
    corpus = make_emotional_speech(2, ["anger", "calm"], n_sentences=1, random_state=0)
    model = make_pipeline(AudioLoader(), PretrainedEmbedding(folder), LogisticRegression())
    options = {"results_dir": tmp_path / "results", "keep_models": True, "verbose": 0}
    kept = compare(corpus, {"wav2vec2": model}, **options).load_model("wav2vec2")
    assert len(kept.predict(corpus.audio[:2])) == 2
    save_encoder(folder, "wav2vec2", seed=1)
    with pytest.raises(ValueError, match="not the one that this was fitted with"):
        kept.predict(corpus.audio[:2])


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, and nothing fetched before."""
    from serkit.feature_extraction import _pretrained_files

    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    _pretrained_files._fetch.cache_clear()


@pytest.mark.parametrize("local_files_only", [False, True])
def test_without_network_it_is_said_what_to_do(offline, speech, local_files_only):
    embedding = PretrainedEmbedding("some/encoder", local_files_only=local_files_only)
    with pytest.raises(OSError, match="cannot be fetched now") as caught:
        embedding.fit(speech)
    assert "hf download some/encoder --local-dir FOLDER" in str(caught.value)
    with pytest.raises(OSError, match="no folder 'not/a/name'"):
        PretrainedEmbedding("not/a/name").fit(speech)


def test_a_model_that_was_fetched_is_found_without_network(offline, folders, speech, tmp_path):
    """The cache of the Hub: blobs and, for every commit, a folder."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--some--encoder"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    save_encoder(repository / "snapshots" / commit, "hubert")
    for options in ({}, {"revision": commit}, {"local_files_only": True}):
        got = PretrainedEmbedding("some/encoder", **options).fit_transform(speech)
        expected = PretrainedEmbedding(folders("hubert")).fit_transform(speech)
        np.testing.assert_array_equal(got, expected)


def test_wrong_parameters(folders, speech, tmp_path):
    folder = folders("wav2vec2")
    for layer in (4, -5, [], [1, 9], ["last"]):
        with pytest.raises(ValueError, match="has layers 0 to 3"):
            PretrainedEmbedding(folder, layer).fit(speech)
    with pytest.raises(ValueError, match="takes speech at 16000 Hz, but sampling_rate=8000"):
        PretrainedEmbedding(folder, sampling_rate=8000).fit(speech)
    with pytest.raises(ValueError, match="is a folder, of which there are no revisions"):
        PretrainedEmbedding(folder, revision="main").fit(speech)
    with pytest.raises(ValueError, match=r"has no config.json"):
        PretrainedEmbedding(tmp_path).fit(speech)


def test_pickled_weights_are_refused(speech, tmp_path):
    folder = save_encoder(tmp_path / "pickled", "wav2vec2")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="no weights as safetensors"):
        PretrainedEmbedding(folder).fit(speech)


def test_other_models_are_refused(speech, tmp_path):
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="of type 'bert'"):
        PretrainedEmbedding(tmp_path).fit(speech)


def test_adapters_are_refused(speech, tmp_path):
    adapter = {"add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 8}
    config = transformers.Wav2Vec2Config(**SIZES | LARGE, **adapter)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "with")
    for folder in ("with", "without"):
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / folder)
    with pytest.raises(ValueError, match=r"with an adapter.*add_adapter=False"):
        PretrainedEmbedding(tmp_path / "with").fit(speech)
    model = transformers.AutoModel.from_pretrained(tmp_path / "with", add_adapter=False)
    model.save_pretrained(tmp_path / "without")
    assert PretrainedEmbedding(tmp_path / "without").fit_transform(speech).shape == (7, 16)


def test_weights_are_loaded_once(folders, speech, monkeypatch):
    from serkit.feature_extraction import _pretrained_encoder

    _pretrained_encoder._load.cache_clear()
    embedding = PretrainedEmbedding(folders("wav2vec2")).fit(speech)
    assert _pretrained_encoder._load.cache_info().misses == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            embedding.transform(speech)
            clone(embedding).fit(speech).transform(speech)
    assert _pretrained_encoder._load.cache_info().misses == 1
