"""The maximum over scales and its gradient, against torch's own."""

from functools import reduce

import numpy as np
import pytest
import torch

from serkit.modules import MultiTimeScaleConv2d, _scale_maximum

SETTINGS = {
    "interpolate": {},
    "pad": {"align": "pad"},
    "stride and dilation": {"stride": (1, 2), "dilation": (2, 1), "padding": (2, 3)},
    "no bias, penalty": {"bias": False, "scale_penalty": 0.3},
    "long kernels": {"scale_factors": (0.25, 1.0, 4.0), "align": "pad"},
}


def make(options, n_utterances=3):
    torch.manual_seed(0)
    options = {"scale_factors": (0.5, 1.0, 2.0), **options}
    convolution = MultiTimeScaleConv2d(2, 3, (2, 8), **options).double()
    x = np.random.default_rng(0).normal(size=(n_utterances, 2, 6, 40))
    return convolution, torch.from_numpy(x).requires_grad_()


def gradients(output, convolution, x):
    weights = [x, *convolution.parameters()]
    direction = torch.from_numpy(np.random.default_rng(1).normal(size=output.shape))
    return torch.autograd.grad((output * direction).sum(), weights)


@pytest.mark.parametrize("block", [1, 2**22], ids=["utterance by utterance", "all at once"])
@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_values_and_gradients_are_those_of_the_formula(options, block, monkeypatch):
    monkeypatch.setattr(_scale_maximum, "_BLOCK", block)
    convolution, x = make(options)
    output = convolution(x)
    plain = reduce(torch.maximum, convolution.at_scales(x).unbind(1))
    torch.testing.assert_close(output, plain)
    for ours, of_torch in zip(
        gradients(output, convolution, x), gradients(plain, convolution, x), strict=True
    ):
        torch.testing.assert_close(ours, of_torch)


def test_frozen_weights_and_inputs_get_no_gradient():
    convolution, x = make({})
    convolution.weight.requires_grad_(False)
    convolution(x).sum().backward()
    assert convolution.weight.grad is None
    assert x.grad is not None
    convolution, x = make({})
    convolution(x.detach()).sum().backward()
    assert convolution.weight.grad is not None
    assert not convolution(x.detach()).detach().requires_grad


def test_no_maps_but_the_result_are_kept_for_the_gradient():
    convolution, x = make({})
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        output = convolution(x)
    as_large = [t for t in kept if t.numel() >= output.numel() and t.data_ptr() != x.data_ptr()]
    assert [t.dtype for t in as_large] == [torch.uint8]


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_without_gradients_it_is_not_kept_which_scale_won(context, monkeypatch):
    learnt = []
    compete = _scale_maximum._compete

    def watch(x, bias, options, kernels, learns):
        learnt.append(learns)
        return compete(x, bias, options, kernels, learns)

    monkeypatch.setattr(_scale_maximum, "_compete", watch)
    convolution, x = make({})
    with context():
        convolution(x)
    convolution(x)
    assert learnt == [False, True]


def test_gradients_that_nobody_needs_are_not_computed(monkeypatch):
    convolution, x = make({})
    convolution.weight.requires_grad_(False)
    monkeypatch.setattr(_scale_maximum, "_add_kernel_gradient", None)
    convolution(x).sum().backward()
    assert x.grad.any()
    assert convolution.bias.grad.all()


def test_the_first_scale_has_the_gradient_where_all_are_equal():
    convolution, x = make({})
    convolution.weight.data.zero_()
    convolution(x).sum().backward()
    assert convolution.bias.grad.tolist() == [convolution(x)[:, 0].numel()] * 3


def test_mixed_precision_goes_another_way():
    convolution, x = make({})
    convolution, x = convolution.float(), x.float()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = convolution(x)
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), convolution(x), atol=0.1, rtol=0.1)
