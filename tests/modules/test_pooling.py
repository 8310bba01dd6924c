import pytest
import torch

from serkit.modules import StatisticsPooling


def test_pooling_is_mean_and_unbiased_deviation():
    x = torch.randn(4, 9, 5)
    expected = torch.cat([x.mean(1), x.std(1)], dim=1)
    torch.testing.assert_close(StatisticsPooling()(x), expected)


def test_padding_is_skipped_whatever_it_holds():
    lengths = torch.tensor([2, 9, 5])
    x = torch.randn(3, 9, 5)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 1e4
    pooled = StatisticsPooling()(x, lengths)
    for row, length, values in zip(x, lengths, pooled, strict=True):
        torch.testing.assert_close(
            values, torch.cat([row[:length].mean(0), row[:length].std(0)]), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("lengths", [None, torch.tensor([4, 1])])
def test_constant_frames_have_a_finite_gradient(lengths):
    x = torch.ones(2, 4, 3, requires_grad=True)
    pooled = StatisticsPooling()(x, lengths)
    assert pooled.isfinite().all()
    pooled.sum().backward()
    assert x.grad.isfinite().all()


def test_half_precision_counts_its_frames():
    x = torch.ones(1, 281, 2, dtype=torch.bfloat16)
    for lengths in (None, torch.tensor([281])):
        assert StatisticsPooling()(x, lengths)[0, :2].tolist() == [1.0, 1.0]
