import numpy as np
import pytest
import torch
from torch import nn

from serkit.inspection import speaker_probe_score
from serkit.modules import CNN2DBiGRUEncoder, DomainAdversarialNetwork
from serkit.neural_network import CRNNClassifier, DomainAdversarialClassifier

MLP = {"encoder": "mlp", "encoder_layer_sizes": (6,), "hidden_layer_sizes": (8,)}


class MeanEncoder(nn.Module):
    """Of fixed length: the mean of every bin, and the share of the first frame."""

    def __init__(self, n_bins=4):
        super().__init__()
        self.linear = nn.Linear(n_bins, 6)

    def forward(self, x):
        return self.linear(x.mean(dim=(1, 3)))


class LengthAwareEncoder(MeanEncoder):
    """The mean over the frames of every utterance."""

    def forward(self, x, lengths=None):
        n_frames = x.shape[-1] if lengths is None else lengths[:, None]
        return self.linear(x.sum(dim=(1, 3)) / n_frames)


class FrameEncoder(MeanEncoder):
    def forward(self, x):
        return x


class PairEncoder(MeanEncoder):
    def forward(self, x):
        return super().forward(x), None


@pytest.mark.parametrize(("change", "message"), [({}, "speakers"), ({"y": ["joy"] * 24}, "class")])
def test_speakers_are_needed_once_all_else_is_right(corpus, tiny, change, message):
    arguments = {"X": corpus.X, "y": corpus.y} | change
    with pytest.raises(ValueError, match=message):
        DomainAdversarialClassifier(**tiny).fit(**arguments)


@pytest.mark.parametrize(
    ("speakers", "message"),
    [
        (None, r"fit\(X, y, speakers=…\).*gamma=None trains without"),
        ([None] * 24, r"two speakers or more.*there are 0"),
        (["a"] * 12 + ["b"] * 12, r"two speakers or more.*beside those held out.*there are 1"),
    ],
)
def test_too_few_speakers_say_what_to_do(corpus, tiny, speakers, message):
    with pytest.raises(ValueError, match=message):
        DomainAdversarialClassifier(**tiny).fit(corpus.X, corpus.y, speakers=speakers)


def test_without_gamma_it_is_the_plain_network(corpus, tiny, assert_equal_fits):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    dat = DomainAdversarialClassifier(gamma=None, **tiny).fit(corpus.X, corpus.y)
    assert_equal_fits(crnn, dat)
    assert not hasattr(dat, "speakers_")


@pytest.mark.parametrize("adversarial_loss", ["grl", "negated_ce"])
def test_history_tells_how_the_speakers_fare(functionals, adversarial_loss):
    dat = DomainAdversarialClassifier(
        **MLP,
        gamma=2.5,
        adversarial_loss=adversarial_loss,
        max_epochs=4,
        batch_size=100,
        validation=None,
        random_state=0,
    ).fit(functionals.X, functionals.y, speakers=functionals.speakers)
    history = dat.history_
    # One batch per epoch: its weight is that of the progress in whole epochs.
    np.testing.assert_allclose(
        history["lambda"], 2 / (1 + np.exp(-2.5 * np.arange(4) / 4)) - 1, rtol=1e-6
    )
    sign = 1 if adversarial_loss == "grl" else -history["lambda"]
    np.testing.assert_allclose(
        history["train_loss"], history["emotion_loss"] + sign * history["speaker_loss"], rtol=1e-5
    )
    assert history["speaker_accuracy"].between(0, 1).all()
    assert dat.net_.module_.speaker_head[-1].out_features == 4


@pytest.mark.parametrize("adversarial_loss", ["grl", "negated_ce"])
def test_both_forms_learn_emotions(functionals, adversarial_loss):
    dat = DomainAdversarialClassifier(
        **MLP,
        adversarial_loss=adversarial_loss,
        dropout=0.1,
        lr=0.02,
        max_epochs=40,
        validation=None,
        random_state=0,
    )
    dat.fit(functionals.X, functionals.y, speakers=functionals.speakers)
    assert dat.score(functionals.X, functionals.y) > 0.85


def test_functionals_are_taken_by_the_fully_connected_encoder(functionals):
    dat = DomainAdversarialClassifier(**MLP, max_epochs=1)
    dat.fit(functionals.X, functionals.y, speakers=functionals.speakers)
    assert dat.stages_ == ["hidden1", "head"]
    assert dat.transform(functionals.X).shape == (24, 6)
    assert dat.n_features_in_ == 5


def speakers_in_the_way(rng, n, share):
    """Four speakers, of whom two are often angry and two are not."""
    speakers = rng.integers(4, size=n)
    anger = rng.random(n) < np.where(speakers < 2, share, 1 - share)
    noise = rng.normal(size=(n, 5)) * [1, 0.5, 0.5, 0.5, 0.5]
    return np.c_[4.0 * anger - 2, 2 * np.eye(4)[speakers]] + noise, anger, speakers


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_embedding_knows_less_of_the_speakers(seed):
    """Emotion and speaker go together in training only."""
    rng = np.random.default_rng(seed)
    X, y, speakers = speakers_in_the_way(rng, 200, share=0.8)
    X_test, y_test, test_speakers = speakers_in_the_way(rng, 200, share=0.5)
    scores = {}
    for gamma in (None, 3.33):
        dat = DomainAdversarialClassifier(
            "mlp",
            gamma=gamma,
            encoder_layer_sizes=(3,),
            hidden_layer_sizes=(16,),
            dropout=0.0,
            lr=0.02,
            max_epochs=60,
            validation=None,
            random_state=seed,
        ).fit(X, y, speakers=speakers)
        scores[gamma] = speaker_probe_score(dat, X_test, test_speakers)
        assert dat.score(X_test, y_test) > 0.9
    assert scores[3.33] < scores[None] - 0.05


# Encoders of one's own.


@pytest.mark.parametrize("cls", [MeanEncoder, LengthAwareEncoder])
def test_an_encoder_of_ones_own_is_copied(corpus, tiny, cls):
    encoder = cls()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    dat = DomainAdversarialClassifier(encoder, **tiny)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name])
    trained = dat.net_.module_.encoder
    assert trained is not encoder
    assert not torch.equal(trained.linear.weight, encoder.linear.weight)
    assert dat.stages_ == ["encoder", "head"]
    assert dat.n_frames_ == (12 if cls is MeanEncoder else None)
    assert dat.transform(corpus.X).shape == (24, 6)


def test_an_encoder_begins_with_the_weights_that_it_has(corpus, tiny):
    encoder = LengthAwareEncoder()
    training = tiny | {"lr": 1e-30}
    dat = DomainAdversarialClassifier(encoder, **training)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    with torch.no_grad():
        expected = [encoder(torch.from_numpy(x[None]))[0].numpy() for x in corpus.X]
    np.testing.assert_allclose(dat.transform(corpus.X), expected, atol=1e-6)


def test_an_encoder_of_serkit_keeps_its_stages(corpus, tiny):
    encoder = CNN2DBiGRUEncoder(1, 4, n_filters=2, rnn_hidden_size=3)
    dat = DomainAdversarialClassifier(encoder, **tiny)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert dat.stages_ == [*encoder.stages, "head"]
    assert dat.transform(corpus.X).shape == (24, 12)


def test_an_encoder_may_need_more_frames_than_there_are(corpus, tiny):
    class Wide(MeanEncoder):
        min_shape = (4, 40)

        def __init__(self):
            super().__init__(4)
            self.convolution = nn.Conv2d(1, 1, (1, 40))

        def forward(self, x):
            return super().forward(self.convolution(x))

    dat = DomainAdversarialClassifier(Wide(), **tiny)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert dat.transform(corpus.X).shape == (24, 6)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (FrameEncoder(), r"one vector per utterance.*\(2, 1, 4, 12\)"),
        (PairEncoder(), "one vector per utterance"),
        (MeanEncoder(n_bins=7), r"does not take frames of shape \(2, 1, 4, 12\).*7x6"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused(corpus, tiny, encoder, message):
    with pytest.raises(ValueError, match=message):
        DomainAdversarialClassifier(encoder, **tiny).fit(
            corpus.X, corpus.y, speakers=corpus.speakers
        )


# Warm start.


def test_warm_start_takes_other_speakers_and_gammas(corpus, tiny):
    dat = DomainAdversarialClassifier(**tiny, validation=None, warm_start=True)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    embedding = dat.transform(corpus.X)
    others = np.array(["e", "f", "g"], dtype=object)[np.arange(24) % 3]
    dat.set_params(lr=1e-30).fit(corpus.X, corpus.y, speakers=others)
    assert list(dat.speakers_) == ["e", "f", "g"]
    assert dat.net_.module_.speaker_head[-1].out_features == 3
    assert np.corrcoef(embedding.ravel(), dat.transform(corpus.X).ravel())[0, 1] > 0.9
    dat.set_params(gamma=None).fit(corpus.X, corpus.y)
    assert not isinstance(dat.net_.module_, DomainAdversarialNetwork)
    dat.set_params(gamma=2.5).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert dat.history_["lambda"].isna().tolist() == [False] * 4 + [True] * 2 + [False] * 2


def test_frozen_encoder_stays_while_the_heads_learn(corpus, tiny):
    dat = DomainAdversarialClassifier(**tiny, warm_start=True)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    before = dat.transform(corpus.X), dat.predict_proba(corpus.X)
    dat.freeze(dat.stages_[:-1]).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    np.testing.assert_array_equal(dat.transform(corpus.X), before[0])
    assert np.abs(dat.predict_proba(corpus.X) - before[1]).max() > 0
