import numpy as np
import pytest
import torch

from serkit.augmentation import Compose, RandomGain, SpecAugment
from serkit.neural_network import CRNNClassifier, MLPClassifier
from serkit.utils import as_ragged

LENGTHS = torch.tensor([100, 60, 7])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def hidden(augment, *, lengths=LENGTHS, n_bins=20, seed=0):
    """Return what is hidden of the utterances, by bin and frame."""
    x = torch.ones(3, 2, n_bins, 100)
    masked = augment(x, lengths, generator(seed))
    assert torch.equal(x, torch.ones_like(x)), "the batch itself was written into"
    assert torch.equal(masked[:, 0], masked[:, 1])
    return (masked[:, 0] == 0).numpy()


def test_masks_over_bins_have_all_widths_and_places():
    widths, places = set(), set()
    for seed in range(200):
        masks = hidden(SpecAugment(1, 5, 0, fill="zero"), lengths=None, n_bins=8, seed=seed)
        for mask in masks:
            assert (mask == mask[:, :1]).all()
            (rows,) = np.nonzero(mask[:, 0])
            assert (np.diff(rows) == 1).all()
            widths.add(len(rows))
            places.update(rows)
    assert widths == set(range(6))
    assert places == set(range(8))


def test_masks_over_time_lie_in_the_utterance():
    widths, places = [set(), set(), set()], [set(), set(), set()]
    for seed in range(400):
        masks = hidden(SpecAugment(0, 5, 1, 15, 0.3, fill="zero"), seed=seed)
        for row, mask in enumerate(masks):
            assert (mask == mask[:1]).all()
            (frames,) = np.nonzero(mask[0])
            widths[row].add(len(frames))
            places[row].update(frames)
    assert widths == [set(range(16)), set(range(16)), {0, 1, 2}]
    assert places == [set(range(100)), set(range(60)), set(range(7))]


def test_masks_differ_between_utterances_and_batches():
    masks = hidden(SpecAugment(2, 8, 2, 30, 1.0, fill="zero"), lengths=None)
    assert not (masks[0] == masks[1]).all()
    stream = generator()
    augment, x = SpecAugment(fill="zero"), torch.ones(1, 1, 30, 100)
    first, second = augment(x, None, stream), augment(x, None, stream)
    assert not torch.equal(first, second)
    assert torch.equal(first, augment(x, None, generator()))


def test_the_mean_is_that_of_the_utterance():
    x = torch.randn(3, 2, 20, 100, generator=generator())
    x[1, :, :, 60:] = 1e6  # padding
    masked = SpecAugment(2, 8, 2, 30, 1.0)(x, LENGTHS, generator(1))
    changed = (masked != x)[:, 0]
    assert changed[..., 60:][1].sum() > 0, "bins are hidden in the padding too, which is masked"
    for row, length in enumerate(LENGTHS):
        for channel in range(2):
            mean = x[row, channel, :, :length].mean()
            filled = masked[row, channel][changed[row]]
            assert len(filled)
            torch.testing.assert_close(filled, torch.full_like(filled, mean.item()))


def test_gain_is_one_number_per_utterance():
    x = torch.randn(3, 2, 20, 100, generator=generator())
    change = RandomGain(4.0)(x, None, generator()) - x
    assert (change.amax(dim=(1, 2, 3)) - change.amin(dim=(1, 2, 3))).max() < 1e-5
    assert len(set(change[:, 0, 0, 0].tolist())) == 3
    assert change.abs().max() <= 4 + 1e-5


def test_composition_goes_in_order():
    double, add = (lambda x, *_: 2 * x), (lambda x, *_: x + 1)
    x = torch.ones(1, 1, 2, 2)
    assert Compose([double, add])(x, None, generator()).unique() == 3
    assert Compose([add, double])(x, None, generator()).unique() == 4


def test_a_network_trains_with_masks_and_predicts_without():
    rng = np.random.default_rng(0)
    X = as_ragged(rng.normal(size=(1, 6, 20 + row)) for row in range(12))
    y, speakers = np.tile(["a", "b"], 6), np.repeat(list("pqr"), 4)
    calls = []

    def count(x, lengths, stream):
        calls.append(x.shape[-1] if lengths is None else int(lengths.max()))
        return x

    options = {"n_filters": 2, "rnn_hidden_size": 2, "max_epochs": 2, "random_state": 0}
    augment = Compose([SpecAugment(freq_mask_size=3), RandomGain(1.0), count])
    crnn = CRNNClassifier(augment=augment, batch_size=4, **options)
    crnn.fit(X, y, speakers=speakers)
    n_calls = len(calls)
    proba = crnn.predict_proba(X)
    assert n_calls == 2 * 2  # batches of eight training utterances
    assert len(calls) == n_calls
    again = CRNNClassifier(augment=augment, batch_size=4, **options).fit(X, y, speakers=speakers)
    np.testing.assert_array_equal(proba, again.predict_proba(X))
    plain = CRNNClassifier(batch_size=4, **options).fit(X, y, speakers=speakers)
    assert not np.array_equal(proba, plain.predict_proba(X))


@pytest.mark.parametrize("augment", [SpecAugment(), RandomGain()])
def test_networks_of_functionals_are_refused(augment):
    network = MLPClassifier((4,), augment=augment, max_epochs=1)
    with pytest.raises(ValueError, match=f"{type(augment).__name__} changes frames .*takes"):
        network.fit(np.random.default_rng(0).normal(size=(8, 3)), np.tile([0, 1], 4))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_freq_masks": -1}, "n_freq_masks must be 0 or more"),
        ({"time_mask_size": -1}, "time_mask_size must be 0 or more"),
        ({"max_time_fraction": 1.5}, "max_time_fraction must be in"),
        ({"fill": "noise"}, "fill must be 'mean' or 'zero'"),
    ],
)
def test_parameters_are_checked(params, message):
    with pytest.raises(ValueError, match=message):
        SpecAugment(**params)
