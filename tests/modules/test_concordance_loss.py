import pytest
import torch
from torch.nn.functional import pad

from serkit.metrics import concordance_correlation_coefficient
from serkit.modules import CCCLoss

LENGTHS = torch.tensor([9, 5, 2, 7])


def sequences(*shape):
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(*shape, generator=generator, dtype=torch.float64)
    noise = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return 0.6 * target + noise + 0.5, target


def test_check_value():
    loss = CCCLoss()(torch.tensor([1.0, 2, 3, 4]).double(), torch.tensor([1.0, 2, 3, 5]).double())
    assert loss.item() == pytest.approx(1 / 14, rel=1e-15)


def test_it_is_one_minus_the_score():
    output, target = sequences(4, 9)
    scores = concordance_correlation_coefficient(target.T, output.T, multioutput="raw_values")
    losses = 1 - torch.as_tensor(scores)
    for reduction, expected in [
        ("none", losses), ("sum", losses.sum()), ("mean", losses.mean()),
    ]:  # fmt: skip
        found = CCCLoss(reduction)(output, target)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_any_axis(dim):
    output, target = sequences(4, 3, 9)
    found = CCCLoss("none", dim=dim)(output, target)
    expected = CCCLoss("none")(output.movedim(dim, -1), target.movedim(dim, -1))
    assert torch.equal(found, expected)
    assert found.shape == output.sum(dim).shape


def test_agreement_and_its_opposite():
    _, target = sequences(4, 9)
    assert not CCCLoss("none")(target, target).any()
    target = target - target.mean(1, keepdim=True)
    torch.testing.assert_close(CCCLoss()(-target, target), torch.tensor(2.0).double())


@pytest.mark.parametrize("dim", [1, 2])
def test_what_the_padding_holds_changes_nothing(dim):
    output, target = sequences(4, 3, 9)
    losses, gradients = [], []
    for row, other, length in zip(output, target, LENGTHS, strict=True):
        alone = row[None, :, :length].clone().requires_grad_()
        loss = CCCLoss("none")(alone, other[None, :, :length])
        gradient = torch.autograd.grad(loss.sum(), alone)[0][0]
        losses.append(loss)
        gradients.append(pad(gradient, (0, 11 - gradient.shape[-1])))
    behind = torch.arange(11) >= LENGTHS[:, None, None]
    padded = pad(output, (0, 2)).masked_fill(behind, 1e3).movedim(2, dim).requires_grad_()
    padded_target = pad(target, (0, 2)).masked_fill(behind, torch.nan).movedim(2, dim)
    loss = CCCLoss("none", dim=dim)(padded, padded_target, LENGTHS)
    torch.testing.assert_close(loss, torch.cat(losses))
    loss.sum().backward()
    torch.testing.assert_close(padded.grad, torch.stack(gradients).movedim(2, dim))


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "padded"])
def test_gradient(lengths):
    output, target = sequences(4, 9)
    output.requires_grad_(), target.requires_grad_()
    assert torch.autograd.gradcheck(CCCLoss("none"), (output, target, lengths))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e-30])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e5 / 3])
def test_a_constant_target_teaches_nothing(constant, offset, dtype):
    target = torch.full((1, 7), constant, dtype=dtype)
    output = (target + offset).requires_grad_()
    loss = CCCLoss()(output, target)
    loss.backward()
    assert loss.item() == 1
    assert not output.grad.any()


def test_small_differences_keep_their_digits_in_single_precision():
    output, target = sequences(1, 200)
    output = (target + 1e-4 * output).float()
    expected = CCCLoss()(output.double(), target.float().double())
    assert 0 < expected < 1e-7
    torch.testing.assert_close(CCCLoss()(output, target).double(), expected, rtol=1e-3, atol=0)


def test_half_precision_is_computed_in_single():
    output, target = (values.bfloat16() for values in sequences(4, 9))
    assert torch.equal(CCCLoss()(output, target), CCCLoss()(output.float(), target.float()))


def test_wrong_input():
    with pytest.raises(ValueError, match="reduction is one of .*not 'max'"):
        CCCLoss("max")
    with pytest.raises(ValueError, match=r"output has shape \(4, 1\), target \(4,\)"):
        CCCLoss()(torch.zeros(4, 1), torch.zeros(4))
    for dim, shape in ((0, (4, 9)), (-2, (4, 9)), (-1, (4,))):
        with pytest.raises(ValueError, match="axis behind the first"):
            CCCLoss(dim=dim)(torch.zeros(shape), torch.zeros(shape), LENGTHS)


def test_whole_weights_repeat_values():
    output, target = sequences(4, 3)
    weight = torch.tensor([2, 0, 1, 3])
    found = CCCLoss("none", dim=0)(output, target, weight=weight)
    repeated = [values.repeat_interleave(weight, dim=0) for values in (output, target)]
    torch.testing.assert_close(found, CCCLoss("none", dim=0)(*repeated))
    with pytest.raises(ValueError, match="either lengths or weight"):
        CCCLoss()(output, target, lengths=torch.tensor([3, 3, 2, 1]), weight=torch.ones(3))
