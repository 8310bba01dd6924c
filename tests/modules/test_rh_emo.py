"""RH-emo: sizes, what heads see, and the loss."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from serkit.modules import (
    QuaternionConvTranspose2d,
    RHEmoLoss,
    RHEmoNetwork,
    RHEmoOutput,
    binarize_vad,
)

SMALL = {"n_bins": 8, "n_frames": 16, "hidden_size": 8}


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def spectrograms(n=3, n_bins=8, n_frames=16):
    return torch.rand(n, 1, n_bins, n_frames, generator=torch.Generator().manual_seed(0))


def test_the_network_has_the_published_sizes():
    with torch.device("meta"):
        network = RHEmoNetwork()
    assert n_parameters(network) == 134_279_561
    assert n_parameters(network.encoder) == 256
    assert n_parameters(network.decoder) == 130


@pytest.mark.parametrize(
    ("options", "encoder", "decoder"),
    [
        ({"bn_blocks": (1,)}, 248, 125),
        ({"bn_blocks": ()}, 244, 120),
        ({"decoder": "real"}, 256, 3 * (4 * 4 * 9 + 4) + 2 * 8),
    ],
    ids=["thesis", "no normalisation", "real decoder"],
)
def test_variants_have_their_sizes(options, encoder, decoder):
    network = RHEmoNetwork(**SMALL, **options)
    assert n_parameters(network.encoder) == encoder
    assert n_parameters(network.decoder) == decoder


def test_maps_have_the_published_shapes():
    network = RHEmoNetwork(hidden_size=2)
    shapes = []
    for block in network.encoder:
        block.register_forward_hook(lambda _block, _x, output: shapes.append(output.shape[1:]))
    for layer in network.decoder:
        if isinstance(layer, QuaternionConvTranspose2d):
            layer.register_forward_hook(lambda _layer, _x, output: shapes.append(output.shape[1:]))
    output = network(spectrograms(1, 128, 512))
    assert [tuple(shape) for shape in shapes] == [
        (2, 64, 256),
        (4, 64, 128),
        (4, 64, 64),
        (4, 64, 128),
        (4, 64, 256),
        (4, 128, 512),
    ]
    assert output.embedding.shape == (1, *network.embedding_shape) == (1, 4, 64, 64)
    assert output.reconstruction.shape == (1, 1, 128, 512)
    assert output.emotion.shape == (1, 4)
    assert output.vad.shape == (1, 3)


def test_bins_are_halved_and_eight_frames_become_one():
    network = RHEmoNetwork(n_bins=12, n_frames=64, hidden_size=2, bn_blocks=())
    for layer in network.encoder.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data.zero_()[..., 1, 1] = 1.0
    x = torch.zeros(1, 1, 12, 64)
    x[..., 9, 37] = 1.0
    embedding = network(x).embedding
    assert embedding.shape == (1, 4, 6, 8)
    assert torch.nonzero(embedding[0, 0]).tolist() == [[9 // 2, 37 // 8]]


def test_the_reconstruction_is_the_mean_of_four_channels():
    network = RHEmoNetwork(**SMALL).eval()
    x = spectrograms()
    maps = torch.sigmoid(network.decoder(network.encoder(x)))
    assert maps.shape == (3, 4, 8, 16)
    torch.testing.assert_close(network(x).reconstruction, maps.mean(1, keepdim=True))


@pytest.mark.parametrize("channel", range(4), ids=["emotion", "valence", "arousal", "dominance"])
def test_a_head_touches_its_own_channel_alone(channel):
    network = RHEmoNetwork(**SMALL).eval()
    embedding = torch.rand(3, 4, 4, 2, requires_grad=True)
    emotion, vad = network.heads.divide(network.heads(embedding))
    logits = emotion if channel == 0 else vad[:, channel - 1]
    (gradient,) = torch.autograd.grad(logits.square().sum(), embedding)
    touched = gradient.abs().sum((0, 2, 3)) > 0
    assert touched.tolist() == [n == channel for n in range(4)]


@pytest.mark.parametrize(
    ("options", "stages", "has"),
    [
        ({}, ["decoder", "heads"], (True, True, True)),
        ({"vad": False}, ["decoder", "heads"], (True, True, False)),
        ({"discrete": False}, ["decoder", "heads"], (True, False, True)),
        ({"vad": False, "discrete": False}, ["decoder"], (True, False, False)),
        ({"decoder": None}, ["heads"], (False, True, True)),
    ],
    ids=["all", "emotion", "dimensions", "reconstruction", "no decoder"],
)
def test_parts_can_be_left_out(options, stages, has):
    network = RHEmoNetwork(**SMALL, **options)
    convolutions = ["convolution1", "convolution2", "convolution3"]
    assert list(network.stages) == convolutions + stages
    output = network(spectrograms())
    found = (output.reconstruction, output.emotion, output.vad)
    assert tuple(part is not None for part in found) == has
    assert network(spectrograms(), heads=False)[2:] == (None, None)


def test_dimensions_may_have_a_head_each():
    network = RHEmoNetwork(**SMALL, vad=["dominance", "valence"], discrete=False)
    assert list(network.heads) == ["valence", "dominance"]
    x = spectrograms()
    output = network(x)
    assert output.vad.shape == (3, 2)
    vad = torch.tensor([[1.0, 0.0]] * 3)
    loss = RHEmoLoss()(output, x, vad=vad)["vad_loss"]
    expected = 2 * functional.binary_cross_entropy_with_logits(output.vad, vad)
    torch.testing.assert_close(loss, expected.detach())


def test_without_a_decoder_nothing_is_decoded():
    with pytest.raises(ValueError, match="decoder=None"):
        RHEmoNetwork(**SMALL, decoder=None).decode(torch.zeros(1, 4, 4, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_bins": 7}, "multiples of 2 and of 8"),
        ({"n_frames": 20}, "multiples of 2 and of 8"),
        ({"bn_blocks": (1, 3)}, "other blocks"),
        ({"decoder": "complex"}, "decoder is"),
        ({"vad": ["mood"]}, "something else than valence"),
    ],
    ids=["bins", "frames", "blocks", "decoder", "dimension"],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RHEmoNetwork(**SMALL | options)


def made_output(n=4):
    generator = torch.Generator().manual_seed(0)
    return RHEmoOutput(
        torch.zeros(n, 4, 4, 2),
        torch.rand(n, 1, 8, 16, generator=generator),
        torch.randn(n, 3, generator=generator, requires_grad=True),
        torch.randn(n, 3, generator=generator, requires_grad=True),
    )


EMOTION = torch.tensor([0, 2, -1, 1])
VAD = torch.tensor([[1, 0, 1], [0, torch.nan, 1], [torch.nan] * 3, [1, torch.nan, 0]])


def test_the_loss_is_the_published_sum():
    output, x = made_output(), spectrograms(4)
    loss = RHEmoLoss(alpha=3.0, beta=0.5)(output, x, emotion=EMOTION, vad=VAD)
    p = output.reconstruction.double().numpy()
    x = x.double().numpy()
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).mean()
    posteriors = output.emotion.detach().double().softmax(1).numpy()
    emotion = -np.mean([np.log(posteriors[row, EMOTION[row]]) for row in (0, 1, 3)])
    high = output.vad.detach().double().sigmoid().numpy()
    dimensions = 0.0
    for column in range(3):
        targets = VAD[:, column].numpy()
        known = np.flatnonzero(~np.isnan(targets))
        likely = [high[row, column] if targets[row] else 1 - high[row, column] for row in known]
        dimensions -= np.mean(np.log(likely))
    assert loss["reconstruction_loss"].item() == pytest.approx(reconstruction, rel=1e-5)
    assert loss["emotion_loss"].item() == pytest.approx(emotion, rel=1e-5)
    assert loss["vad_loss"].item() == pytest.approx(dimensions, rel=1e-5)
    expected = reconstruction + 0.5 * (emotion + 3.0 * dimensions)
    assert loss["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_missing_labels_move_nothing():
    output, x = made_output(), spectrograms(4)
    loss = RHEmoLoss()(output, x, emotion=EMOTION, vad=VAD)["loss"]
    emotion, vad = torch.autograd.grad(loss, (output.emotion, output.vad))
    assert ((emotion != 0).all(1) == (EMOTION != -1)).all()
    assert ((vad != 0) == ~VAD.isnan()).all()


def test_a_batch_without_labels_has_the_loss_of_its_reconstruction():
    output, x = made_output(), spectrograms(4)
    nothing = {"emotion": torch.full((4,), -1), "vad": torch.full((4, 3), torch.nan)}
    loss = RHEmoLoss()(output, x, **nothing)["loss"]
    assert loss.item() == functional.binary_cross_entropy(output.reconstruction, x).item()
    loss.backward()
    assert not output.emotion.grad.any()
    assert not output.vad.grad.any()


def test_low_precision_has_a_finite_loss_and_gradients():
    network, x = RHEmoNetwork(3, **SMALL), spectrograms(4)
    with torch.autocast("cpu", torch.bfloat16):
        loss = RHEmoLoss()(network(x), x, emotion=EMOTION, vad=VAD)["loss"]
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(weights.grad.isfinite().all() for weights in network.parameters())


def test_ratings_above_the_threshold_are_high():
    ratings = np.array([[1.0, 2.5, 2.6], [5.0, np.nan, 0.0]])
    expected = torch.tensor([[0.0, 0.0, 1.0], [1.0, torch.nan, 0.0]])
    torch.testing.assert_close(binarize_vad(ratings), expected, equal_nan=True)
    assert binarize_vad([3, 4], threshold=3).tolist() == [0.0, 1.0]
