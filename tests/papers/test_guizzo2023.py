from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from serkit.datasets import Corpus, load_omg_empathy
from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.modules import SCALE_SETS
from serkit.neural_network import (
    AntiTransferClassifier,
    BiGRURegressor,
    QuaternionCNNClassifier,
    RHEmoTransformer,
    SegmentAggregationClassifier,
    SequenceCNNRegressor,
    WeightedAverageFusion,
)
from serkit.papers import guizzo2023
from serkit.papers._experiment import Found
from serkit.papers._guizzo2023_parts import in_segments
from serkit.papers._guizzo2023_systems import quaternion_anti_transfer, rh_emo_ablations
from serkit.papers._guizzo2023_valence import _SIZES, _made, _of_networks
from serkit.papers._other_corpus import OtherCorpora
from serkit.papers._reproduction import Reproduction
from serkit.papers._setting import Setting, pairs_of_speakers, pairs_out
from serkit.preprocessing import AudioLoader

pytestmark = pytest.mark.filterwarnings("ignore")

FOLD_COMPARISONS = {
    "time-scales": ["A1 standard [smoke width]", "A3 MTS [scales 0.7, 1, 1.428, smoke width]"],
    "time-scales-resnet": [
        "ResNet-18 standard [width 0.015625]",
        "ResNet-18 MTS [scales 0.7, 1, 1.428, width 0.015625]",
    ],
    "anti-transfer": [
        "AlexNet [width 0.015625]",
        "AlexNet, AT speakers [width 0.015625]",
        "AlexNet, WI words [sentences of other, width 0.015625]",
    ],
    "anti-transfer-ablations": ["AlexNet, weights kept [width 0.015625]"],
    "quaternion": [
        "AlexNet real [width 0.015625]",
        "AlexNet real, pretrained [on other, width 0.015625]",
        "AlexNet quaternion [RH-emo of other, width 0.015625]",
        "AlexNet quaternion, pretrained [on other, width 0.015625]",
    ],
    "rh-emo-ablations": [
        "AlexNet quaternion, RH-emo without a decoder [RH-emo of other, width 0.015625]",
        "AlexNet quaternion, RH-emo of reconstruction alone [RH-emo of other, width 0.015625]",
        "AlexNet quaternion, RH-emo not pretrained [RH-emo of other, width 0.015625]",
    ],
    "quaternion-anti-transfer": [
        "AlexNet quaternion, AT speakers [RH-emo of other, width 0.015625]",
        "AlexNet quaternion, AT words, speakers "
        "[RH-emo of other, sentences of other, width 0.015625]",
    ],
}

VARIANTS = ["", ", RH-emo without a decoder", ", RH-emo of reconstruction alone"]


def folds_of(corpus, corpora, **options):
    return pairs_out(corpus, Setting(corpora, **options))


def published(**cell):
    table = guizzo2023.published()
    for column, value in cell.items():
        table = table[table[column] == value]
    return table["published"].item()


def test_experiments_are_listed():
    names = ["valence", *FOLD_COMPARISONS]
    names.insert(3, "scale-usage")
    assert guizzo2023.list_experiments().index.tolist() == names


@pytest.mark.parametrize(
    ("experiment", "corpus", "system", "metric", "value"),
    [
        ("valence", "omg_empathy", "audio, text and video", "CCC Subject_5, story 6", 86),
        ("valence", "omg_empathy", "audio, text and video", "CCC", 17),
        ("valence", "omg_empathy", "CNN", "CCC", 16),
        ("time-scales", "emodb", "A2 MTS", "WA", 70.97),
        ("time-scales", "ravdess", "A4 standard", "WA", 47.41),
        ("time-scales", "gsc", "A3 MTS", "WA", 68.80),
        ("time-scales-resnet", "tess", "ResNet-18 MTS", "WA", 36.98),
        ("scale-usage", "emodb", "scales 0.7, 1, 1.428", "scale 1", 5),
        ("anti-transfer", "gsc", "VGG16, AT emotions", "WA, high noise", 91.38),
        ("anti-transfer", "iemocap", "VGG16, AT speakers", "WA", 61.3),
        ("anti-transfer", "good_sounds", "VGG16, AT instruments of Good-Sounds", "WA", 34.3),
        (
            "anti-transfer-ablations",
            "iemocap",
            "VGG16, max, squared cosine",
            "WA random split",
            66.7,
        ),
        ("anti-transfer-ablations", "iemocap", "VGG16, layer 9", "WA", 62.0),
        ("quaternion", "ravdess", "ResNet-50 quaternion", "WA random split", 55.15),
        ("quaternion", "emodb", "AlexNet real, pretrained", "WA random split train", 71.45),
        (
            "rh-emo-ablations",
            "emodb",
            "VGG16 quaternion, RH-emo not pretrained",
            "WA random split",
            57.5,
        ),
        ("quaternion-anti-transfer", "emodb", "AlexNet quaternion", "WA", 52.50),
        ("quaternion-anti-transfer", "tess", "ResNet-50 real", "WA", 40.00),
        (
            "quaternion-anti-transfer",
            "ravdess",
            "VGG16 quaternion, AT words, speakers",
            "WA",
            46.67,
        ),
        ("quaternion-anti-transfer", "iemocap", "AlexNet real, AT speakers, words", "WA", 58.70),
    ],
)
def test_published(experiment, corpus, system, metric, value):
    cell = {"experiment": experiment, "corpus": corpus, "system": system, "metric": metric}
    assert published(**cell) == value


def test_no_published_cell_is_there_twice():
    keys = ["experiment", "corpus", "system", "metric"]
    assert not guizzo2023.published().duplicated(keys).any()


@pytest.mark.parametrize("experiment", FOLD_COMPARISONS)
def test_systems_are_compared(experiment, reproduce_twice):
    made = reproduce_twice(guizzo2023, experiment, systems=FOLD_COMPARISONS[experiment])
    table = made.table(experiment, "one")
    assert set(FOLD_COMPARISONS[experiment]) <= set(table.index)
    assert set(made.frame()["metric"]) == {"UAR", "UAR pooled", "WA", "WA pooled"}
    assert (made.frame()["speakers"] == 1).all()


def test_scale_usage(reproduce_twice):
    made = reproduce_twice(guizzo2023, "scale-usage")
    rows = made.frame().query("corpus == 'one'").groupby("system", sort=False)["value"]
    assert list(rows.groups) == [
        "scales 0.7, 1, 1.428, untrained [A1]",
        "scales 0.7, 1, 1.428 [A1]",
    ]
    np.testing.assert_allclose(rows.sum(), 100, rtol=1e-5)
    assert rows.first().nunique() == 2, "training has changed it"


def test_valence(reproduce_twice):
    made = reproduce_twice(guizzo2023, "valence")
    table = made.table("valence", "one")
    assert table.index.tolist() == [
        f"{name} [smoke width]" for name in ("BiGRU", "CNN", "BiGRU and CNN")
    ]
    assert table.columns.tolist() == ["CCC", "CCC story 3", "CCC 01", "CCC 02", "CCC 03"]
    # Speakers are those that were trained on: this is about new stories.
    assert "the listeners are known from training" in str(made)


def test_valence_needs_its_corpus(two_corpora):
    made = guizzo2023.reproduce(two_corpora, "valence", scale="bench", verbose=0)
    assert not made.found
    assert str(made) == "valence: not run, it needs omg_empathy"


def test_valence_of_test_stories_is_not_used(two_corpora):
    data = _made(two_corpora["one"])
    small = {"max_epochs": 1, "patience": None, "random_state": 0}
    networks = [
        ("gru", BiGRURegressor(4, **small)),
        ("cnn", SequenceCNNRegressor((2,), kernel_sizes=((3, 5),), **small)),
    ]
    fusion = WeightedAverageFusion(networks, metric="sequence_ccc")
    is_test = data.stories == "3"
    assert is_test.sum() == 3
    for of_test, same in ((True, True), (False, False)):
        other = data.valence.copy()
        for row in np.flatnonzero(is_test == of_test):
            other[row] = np.linspace(-1, 1, len(other[row]))
        first, second = (
            _of_networks(fusion, data.audio, y, data.speakers, data.stories, (25, 20, 1.0))
            for y in (data.valence, other)
        )
        for name in ("gru", "cnn", "gru and cnn"):
            pairs = zip(first[name][is_test], second[name][is_test], strict=True)
            assert all(np.array_equal(*pair) for pair in pairs) is same


def test_published_numbers_stand_beside_networks_of_other_widths():
    name = "A2 MTS [scales 0.7, 1, 1.428, 50 hidden units]"
    rows = pd.DataFrame([{"system": name, "metric": "WA", "value": 46.3}])
    found = Found("time-scales", "emodb", rows.assign(SD=9.5), "")
    frame = Reproduction("guizzo2023", [found], guizzo2023.published()).frame()
    assert frame[["value", "published"]].to_numpy().tolist() == [[46.3, 70.97]]
    assert frame["system"].item() == name


@pytest.mark.parametrize("experiment", [*FOLD_COMPARISONS][:3])
def test_every_published_network_is_run_at_scale_paper(experiment, two_corpora):
    corpus = two_corpora["one"]
    ours = set(guizzo2023._find(experiment).makers(folds_of(corpus, {}, scale="paper")))
    ours = {name.partition(" [")[0] for name in ours if not name.startswith("ComParE")}
    theirs = guizzo2023.published().query("experiment == @experiment and corpus == 'emodb'")
    theirs = theirs[~theirs["system"].str.contains("words")]  # which need another corpus
    assert ours >= set(theirs["system"])


def test_scale_paper(two_corpora):
    corpus = two_corpora["one"]
    pipelines = partial(guizzo2023.pipelines, corpus=corpus, scale="paper")
    time_scales = pipelines("time-scales")
    names = {f"A4 MTS [scales {', '.join(f'{s:g}' for s in factors)}]" for factors in SCALE_SETS}
    assert names < set(time_scales)
    network = time_scales["A1 standard"][-1]
    assert (network.max_epochs, network.patience, network.lr) == (500, 10, 5e-5)
    against = pipelines("anti-transfer")["VGG16, AT speakers"]
    assert isinstance(against[-1], SegmentAggregationClassifier)
    against = against[-1].estimator[-1]
    assert isinstance(against, AntiTransferClassifier)
    assert (against.layers, against.estimator.lr, against.estimator.batch_size) == (5, 5e-4, 13)
    assert against.reference.validation is None
    quaternion = pipelines("quaternion")["VGG16 quaternion [RH-emo of the training speakers]"]
    assert quaternion[-1].estimator[-1].lr == 1e-5
    assert isinstance(quaternion[-1].estimator[-2], RHEmoTransformer)


def test_long_utterances_are_cut_at_scale_paper(two_corpora):
    table = two_corpora["one"].table
    waveforms = [np.zeros(11 * 16000, np.float32)] * len(table)
    long = Corpus(table, waveforms=waveforms, sampling_rate=16000, name="long")
    network = guizzo2023.pipelines("time-scales", long, scale="paper")["A1 standard"][-1]
    assert network.segmenter.get_params()["segment_length"] == 64000
    assert network.segmenter.hop == 32000


def test_one_embedding_for_all_systems(two_corpora):
    folds = folds_of(two_corpora["one"], two_corpora, scale="smoke")
    made = [make() for make in quaternion_anti_transfer(folds).values()]
    embeddings = [pipeline[-2] for pipeline in made]
    assert all(isinstance(embedding, FrozenEstimator) for embedding in embeddings)
    assert len({id(embedding) for embedding in embeddings}) == 1
    assert made[-1][-1].reference[0].estimator.classes_.tolist() == ["s01", "s02"], "sentences"
    assert made[-1][-1].reference[1].validation is None, "speakers, to be trained in the fold"


def test_what_is_learnt_beforehand_is_of_the_preferred_corpus(two_corpora):
    one, other = two_corpora.values()
    corpora = {"one": one, "ravdess": other, "emodb": other, "iemocap": one[:0]}
    others = OtherCorpora(folds_of(one, corpora))
    assert others.with_labels("emotion") is corpora["emodb"]
    assert others.with_labels("session") is None


def test_estimates_train_embeddings_for_an_epoch(two_corpora):
    folds = folds_of(two_corpora["one"], two_corpora, scale="smoke", trial=True)
    system = guizzo2023.pipelines("quaternion", two_corpora["one"], scale="smoke")
    pipeline = system["AlexNet quaternion [RH-emo of the training speakers, width 0.015625]"][:-1]
    pipeline[-1].set_params(max_epochs=7)
    embedding = OtherCorpora(folds).frozen(pipeline, "emotion")
    assert len(embedding.estimator.history_) == 2, "one for each stage"


def test_costs(two_corpora):
    one = {"one": two_corpora["one"]}
    costs = guizzo2023.estimate(one, "time-scales", scale="smoke", systems=["A1 standard"])
    assert costs["fits"].tolist() == [1]


def test_speakers_of_a_session_are_left_out_together():
    rows = [(f"Ses0{k}{g}", f"Ses0{k}") for k in "12345" for g in "FM"]
    corpus = Corpus(
        {
            "speaker": [s for s, _ in rows],
            "session": [s for _, s in rows],
            "emotion": ["anger"] * 10,
        },
        waveforms=[np.zeros(9)] * 10,
        sampling_rate=16000,
    )
    assert pairs_of_speakers(corpus).groups[1] == ("Ses02F", "Ses02M")
    mixed = corpus.table.assign(session=["a", "b"] * 5)
    corpus = Corpus(mixed, waveforms=corpus.audio, sampling_rate=16000)
    assert pairs_of_speakers(corpus).groups[1] == ("Ses02F", "Ses02M"), "pairs, without sessions"


def test_of_two_speakers_one_is_tested_and_utterances_of_the_other_validated_on(two_corpora):
    corpus = two_corpora["one"].select(speaker=["01", "02"])
    corpus = corpus[np.tile(np.arange(len(corpus)), 3)]
    folds = folds_of(corpus, {"one": corpus}, scale="paper")
    assert len(folds.parts) == 2
    train, test = folds.parts[0]
    assert set(corpus.speakers[train]) == {"02"}
    assert set(corpus.speakers[test]) == {"01"}
    learn, valid = next(iter(folds.validation.split(train, corpus.y[train])))
    assert len(learn) + len(valid) == len(train)
    assert len(valid) > 0


def test_valence_of_the_corpus_as_it_is_distributed(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    (tmp_path / "Annotations").mkdir()
    for subject, story in product((1, 2), (1, 2, 3)):
        name = f"Subject_{subject}_Story_{story}"
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=9 * 16000), 16000)
        valence = pd.DataFrame({"valence": np.sin(np.arange(225) / 20 + subject)})
        valence.to_csv(tmp_path / "Annotations" / f"{name}.csv", index=False)
    corpus = load_omg_empathy(tmp_path, on_missing="ignore")
    monkeypatch.setitem(_SIZES, "bench", _SIZES["smoke"])
    networks = ["BiGRU", "CNN"]
    made = guizzo2023.reproduce({"omg_empathy": corpus}, "valence", systems=networks, verbose=0)
    frame = made.frame()
    assert frame["metric"].unique().tolist() == [
        "CCC", "CCC story 3", "CCC Subject_1", "CCC Subject_2"
    ]  # fmt: skip
    theirs = frame[frame["published"].notna()]
    note = "a quarter to a half of the width"
    assert theirs["published"].tolist() == [8, 16]
    assert theirs["system"].tolist() == [f"BiGRU [{note}]", f"CNN [{note}]"]


def test_embeddings_without_something_are_others(two_corpora):
    folds = folds_of(two_corpora["one"], two_corpora, scale="smoke")
    made = {name.partition(" [")[0]: make() for name, make in rh_emo_ablations(folds).items()}
    networks = {name: made[f"AlexNet quaternion{name}"][-2].estimator for name in VARIANTS}
    assert networks[", RH-emo without a decoder"].history_["stage"].tolist() == [2]
    assert networks[", RH-emo of reconstruction alone"].history_["stage"].tolist() == [1]
    assert networks[""].history_["stage"].tolist() == [1, 2]
    X = made["AlexNet quaternion"][:-2].transform(two_corpora["one"].audio[:2])
    maps = [network.transform(X) for network in networks.values()]
    assert not any(np.array_equal(maps[0][0], other[0]) for other in maps[1:])


def test_ratings_are_learnt_where_there_are_some(two_corpora):
    rng = np.random.default_rng(0)
    table = two_corpora["other"].table
    ratings = {name: rng.uniform(1, 5, len(table)) for name in ("valence", "arousal", "dominance")}
    rated = Corpus(
        table.assign(**ratings),
        waveforms=two_corpora["other"].audio,
        sampling_rate=16000,
        name="rated",
    )
    folds = folds_of(two_corpora["one"], {"rated": rated, **two_corpora}, scale="smoke")
    assert OtherCorpora(folds).has_ratings
    systems = {name.partition(" [")[0]: make for name, make in rh_emo_ablations(folds).items()}
    networks = [
        systems[f"AlexNet quaternion{name}"]()[-2].estimator
        for name in ("", ", RH-emo of the emotion alone")
    ]
    with_ratings, without = (network.history_["train_loss"].iloc[-1] for network in networks)
    assert with_ratings > without + 1, "three cross-entropies, of weight 1 each"
    assert "AlexNet quaternion, RH-emo of the ratings alone" in systems


def test_references_are_trained_and_used_on_segments(two_corpora):
    corpus = two_corpora["one"]
    other = OtherCorpora(folds_of(corpus, two_corpora, scale="smoke"))
    options = {"domain": "real", "width": 1 / 64, "max_epochs": 1, "patience": None}
    network = QuaternionCNNClassifier("alexnet", random_state=0, **options)
    steps = AudioLoader(), Spectrogram(256, hop_length=128), FrameScaler(per="all")
    reference = other.frozen(in_segments(*steps, clone(network)), "sentence")
    assert reference.estimator.classes_.tolist() == ["s01", "s02"]
    against = AntiTransferClassifier(network, reference, layers=2, leakage="raise")
    system = in_segments(*steps, against)
    last = f"{system.steps[-1][0]}__speakers"
    system.fit(corpus.audio, corpus.y, **{last: corpus.speakers})
    assert system.predict_proba(corpus.audio[:3]).shape == (3, 2)
