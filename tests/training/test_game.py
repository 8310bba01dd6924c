"""Networks that move in turns."""

import pytest
import torch
from torch import nn

from serkit.training import Batch, GameStep, play

X = torch.linspace(-1, 1, 12)[:, None]
CLASSES = torch.eye(2).repeat(6, 1)


def make_step(name="fit", lr=0.1, **options):
    weight = nn.Parameter(torch.zeros(1, 1))

    def losses(batch):
        return {name: (batch.x @ weight - 2 * batch.x).square().mean()}

    return GameStep(name, losses, torch.optim.SGD([weight], lr=lr), rates=f"lr={lr:g}", **options)


def weight_of(step):
    return step.optimizer.param_groups[0]["params"][0]


def test_steps_reach_their_minima():
    step = make_step()
    history = play([step], X, CLASSES, batch_size=5, max_epochs=60)
    assert weight_of(step).item() == pytest.approx(2, abs=0.05)
    assert history["epoch"].tolist() == list(range(60))
    assert history["n_updates"].iloc[-1] == 180
    assert history["fit_loss"][:20].is_monotonic_decreasing


def test_weights_of_losses_and_number_of_times():
    light, heavy, often = make_step(), make_step(weights={"fit": 3.0}), make_step(n_times=3)
    for step in (light, heavy, often):
        play([step], X, CLASSES, batch_size=12, max_epochs=1)
    assert weight_of(heavy).item() == pytest.approx(3 * weight_of(light).item(), rel=1e-5)
    assert weight_of(often).item() > 2 * weight_of(light).item()


def test_rows_that_are_watched_change_nothing():
    plain, watched = make_step(), make_step()
    for step, valid in ((plain, None), (watched, (X[:3], CLASSES[:3]))):
        torch.manual_seed(0)
        history = play([step], X, CLASSES, valid=valid, batch_size=4, max_epochs=3)
    torch.testing.assert_close(weight_of(plain), weight_of(watched), rtol=0, atol=0)
    assert list(history) == ["epoch", "n_updates", "fit_loss", "valid_fit_loss"]


@pytest.mark.parametrize("n_updates", [1, 60])
def test_the_step_that_diverges_is_blamed(n_updates):
    """The first to notice may be another one, and the last move shows in no loss at all."""
    weights = [nn.Parameter(torch.ones(1, 1)) for _ in range(2)]

    def meet(batch):
        return {"meet": (weights[0] * weights[1] * batch.x).square().mean()}

    steps = [
        GameStep(name, meet, torch.optim.SGD([weight], lr=lr), rates=f"{name}={lr:g}")
        for name, weight, lr in (("wild", weights[0], 1e38), ("calm", weights[1], 1e-3))
    ]
    x = 1e3 * X
    with pytest.raises(FloatingPointError, match="update 1: .*'wild'.* wild=1e"):
        play(steps, x, CLASSES, batch_size=12, max_updates=n_updates)


def test_what_is_shared_lasts_for_a_minibatch():
    seen = []
    step = make_step()

    def count(batch):
        seen.append("codes" in batch.shared)
        batch.shared["codes"] = batch.x
        return step.losses(batch)

    other = GameStep("count", count, step.optimizer)
    play([other, other], X, CLASSES, batch_size=6, max_epochs=1)
    assert seen == [False, True, False, True]
    assert Batch(X, CLASSES).shared == {}


def test_progress(capsys):
    play([make_step()], X, CLASSES, max_epochs=2, verbose=2, description="game")
    shown = capsys.readouterr()
    assert "game: epoch 2, fit_loss" in shown.out + shown.err
    play([make_step()], X, CLASSES, max_epochs=2)
    shown = capsys.readouterr()
    assert shown.out + shown.err == ""
