"""The steps of the generative models: what they move, and where to."""

import copy

import numpy as np
import pytest
import torch

from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    InfoGANAutoencoder,
)
from serkit.training import Batch

MODELS = [AdversarialAutoencoder, AdversarialAutoencoderGAN, InfoGANAutoencoder]

pytestmark = pytest.mark.filterwarnings("ignore:a linear classifier")


@pytest.fixture(scope="module")
def prepared(small, blobs):
    """Return a function: a model, its untrained networks, its steps by name, a minibatch."""

    def prepare(model, **parameters):
        X, y = blobs
        model = small(model, max_epochs=1, **parameters).fit(X, y)
        torch.manual_seed(0)
        network = model._make_network()
        steps = {step.name: step for step in model._make_steps(network)}
        codes = np.searchsorted(model.classes_, y)
        batch = Batch(*model._to_tensors(X.astype(np.float32), codes, torch.device("cpu")))
        return model, network, steps, batch

    return prepare


#: The networks that a step moves, and nothing else.
MOVED = {
    "reconstruction": {"encoder", "decoder"},
    "code discriminator": {"code_discriminator"},
    "encoder": {"encoder"},
    "feature discriminator": {"feature_discriminator"},
    "generator": {"decoder", "code_generator", "aux"},
}


@pytest.mark.parametrize("preset", ["tuned", "paper"])
@pytest.mark.parametrize("model", MODELS)
def test_every_step_moves_its_own_networks(model, preset, prepared):
    parameters = {"aux_on_real": False} if model is InfoGANAutoencoder else {}
    _, network, steps, batch = prepared(model, preset=preset, **parameters)
    assert list(steps) == list(MOVED)[: 3 if model is AdversarialAutoencoder else 5]
    for name, step in steps.items():
        before = copy.deepcopy(network.state_dict())
        step.take(batch)
        moved = {
            key.split(".")[0]
            for key, value in network.state_dict().items()
            if not torch.equal(value, before[key])
        }
        assert moved == MOVED[name] & {part for part, _ in network.named_children()}


@pytest.mark.parametrize("update_trunk", [False, True])
def test_only_the_auxiliary_loss_reaches_the_trunk(update_trunk, prepared):
    _, network, steps, batch = prepared(
        InfoGANAutoencoder, aux_update_trunk=update_trunk, optimizer="sgd"
    )
    trunk = network.feature_discriminator.trunk
    before = [w.clone() for w in trunk.parameters()]
    output = network.feature_discriminator.output.weight.clone()
    steps["generator"].take(batch)
    moved = any(not torch.equal(w, b) for w, b in zip(trunk.parameters(), before, strict=True))
    assert moved == update_trunk
    assert torch.equal(network.feature_discriminator.output.weight, output)
    network.zero_grad()
    made = network.generate(torch.randn(3, 3), torch.eye(4)[:3])
    network.generator_loss(made, torch.eye(4)[:3]).backward()
    told = [*network.aux.parameters(), *network.feature_discriminator.parameters()]
    assert all(w.grad is None for w in told)
    assert all(w.requires_grad for w in trunk.parameters())


def test_auxiliary_head_learns_of_real_rows_on_request(prepared):
    _, network, steps, batch = prepared(InfoGANAutoencoder, aux_on_real=True)
    before = copy.deepcopy(network.state_dict())
    losses = steps["feature discriminator"].take(batch)
    assert set(losses) == {"feature_discriminator", "aux_real"}
    moved = {
        key.split(".")[0]
        for key, value in network.state_dict().items()
        if not torch.equal(value, before[key])
    }
    assert moved == {"feature_discriminator", "aux"}


@pytest.mark.parametrize("model", MODELS)
def test_losses_pull_in_the_right_direction(model, prepared):
    """1 is for what the encoder or the decoder has made, 0 for the prior and for real rows."""
    gan, network, steps, batch = prepared(model, optimizer="sgd", momentum=0.0)
    for step in steps.values():
        for group in step.optimizer.param_groups:
            group["lr"] = 0.01
    torch.manual_seed(1)
    draws, classes = gan._draw(200, torch.device("cpu"))

    @torch.no_grad()
    def answers(part, x, classes):
        return getattr(network, part)(x, classes).mean().item()

    def encoded():
        return answers("code_discriminator", network.encoder(batch.x), batch.classes)

    def made():
        return answers("feature_discriminator", network.generate(draws, classes), classes)

    def change(step, *measures):
        before = [measure() for measure in measures]
        for _ in range(20):
            steps[step].take(batch)
        return [measure() - b for measure, b in zip(measures, before, strict=True)]

    drawn = network.target_codes(draws, classes).detach()
    up, down = change(
        "code discriminator", encoded, lambda: answers("code_discriminator", drawn, classes)
    )
    assert up > down
    # The codes are those of the step before.
    steps["code discriminator"].losses(batch)
    before = encoded()
    steps["encoder"].take(batch)
    assert encoded() < before
    if model is not AdversarialAutoencoder:
        up, down = change(
            "feature discriminator",
            made,
            lambda: answers("feature_discriminator", batch.x, batch.classes),
        )
        assert up > down
        assert change("generator", made)[0] < 0


def test_sum_of_both_sides_is_minimised(prepared):
    """What is reported is the mean of two cross-entropies, what is minimised their sum."""
    _, network, steps, batch = prepared(AdversarialAutoencoderGAN)
    for name in ("code discriminator", "feature discriminator"):
        assert steps[name].weights == {name.replace(" ", "_"): 2.0}
    codes = network.encoder(batch.x)
    mean = network.code_discriminator_loss(codes, batch.classes, codes, batch.classes)
    logits = network.code_discriminator(codes, batch.classes)
    by_hand = -(torch.sigmoid(logits).log() + torch.sigmoid(-logits).log()).mean() / 2
    assert mean.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_rates_of_the_paper():
    for model, code_rate, momentum, reduction in (
        (AdversarialAutoencoder, 0.1, 0.9, "mean"),
        (AdversarialAutoencoderGAN, 0.1, 0.9, "mean"),
        (InfoGANAutoencoder, 0.01, 0.0, "sum"),
    ):
        gan = model(preset="paper")
        assert gan._setting("optimizer") == "sgd"
        assert gan._setting("lr_reconstruction") == 1e-3
        assert gan._setting("momentum") == momentum
        assert gan._setting("lr_code_discriminator") == gan._setting("lr_encoder") == code_rate
        assert gan._setting("reduction") == reduction
        if model is not AdversarialAutoencoder:
            assert gan._setting("lr_feature_discriminator") == 1e-4
            assert gan._setting("lr_generator") == 1e-3
            assert gan.n_generator_steps == 2
    assert gan._setting("lr_aux") == 1e-3
    assert not gan._setting("aux_on_real")
    assert model(preset="paper", lr_aux=0.05)._setting("lr_aux") == 0.05


def test_momentum_is_of_reconstruction_only(prepared):
    _, _, steps, _ = prepared(AdversarialAutoencoderGAN, preset="paper")
    momenta = {name: step.optimizer.defaults["momentum"] for name, step in steps.items()}
    assert momenta.pop("reconstruction") == 0.9
    assert set(momenta.values()) == {0.0}
    assert {name: step.n_times for name, step in steps.items() if step.n_times > 1} == {
        "generator": 2
    }


def test_real_rows_are_judged_by_their_own_classes(prepared, monkeypatch):
    _, network, steps, batch = prepared(AdversarialAutoencoderGAN)
    given = []
    loss = network.feature_discriminator_loss
    monkeypatch.setattr(
        network, "feature_discriminator_loss", lambda *given_: given.append(given_) or loss(*given_)
    )
    steps["feature discriminator"].take(batch)
    ((x, classes, made, made_classes),) = given
    assert x is batch.x
    assert classes is batch.classes
    assert made.shape == x.shape
    assert not made.requires_grad
    assert not torch.equal(made_classes, classes)


def test_weight_of_the_information(prepared):
    _, _, steps, _ = prepared(InfoGANAutoencoder, mi_weight=0.25)
    assert steps["generator"].weights == {"aux": 0.25}
