import math
from itertools import chain

import pytest
import torch
from torch import nn
from torch.nn.functional import pad

from serkit.modules import AntiTransferLoss, gram_matrix

LENGTHS = torch.tensor([6, 3, 4])
ALL_OPTIONS = [
    {"aggregation": aggregation, "similarity": similarity}
    for aggregation in ("gram", "mean", "sum", "max", "compressed_product")
    for similarity in ("squared_cosine", "sigmoid_mse")
] + [
    {"gram": "batch_rowwise", "similarity": similarity}
    for similarity in ("squared_cosine", "sigmoid_mse")
]


def features(seed, *, shape=(3, 4, 2, 6), dtype=torch.float64):
    """Return maps as behind a ReLU, so small that no squared error saturates a sigmoid."""
    generator = torch.Generator().manual_seed(seed)
    return 0.2 * torch.randn(*shape, generator=generator, dtype=dtype).relu()


def slow_gram(maps):
    """Return the Gram matrix of a list of maps, each a list of numbers."""
    return [[sum(a * b for a, b in zip(f, g, strict=True)) for g in maps] for f in maps]


def slow_cosine(a, b):
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def slow_error(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / len(a)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def mean(values):
    return sum(values) / len(values)


CHANNELS_TO_ONE = {
    "mean": mean,
    "sum": sum,
    "max": max,
    "compressed_product": lambda values: math.prod((x + 1e-10) ** 0.001 for x in values),
}


def slow_rows(aggregation, rows):
    """Return what is compared of the maps of one utterance."""
    if aggregation == "gram":
        return list(chain(*slow_gram(rows)))
    return [CHANNELS_TO_ONE[aggregation](values) for values in zip(*rows, strict=True)]


def slow_loss(trained, reference, *, aggregation="gram", similarity, gram="sample"):
    trained, reference = trained.flatten(2).tolist(), reference.flatten(2).tolist()
    if gram == "sample":
        pairs = [
            [slow_rows(aggregation, rows) for rows in pair]
            for pair in zip(trained, reference, strict=True)
        ]
        if similarity == "squared_cosine":
            return mean([slow_cosine(*pair) ** 2 for pair in pairs])
        return -mean([sigmoid(slow_error(*pair)) for pair in pairs])
    trained, reference = list(chain(*trained)), list(chain(*reference))
    scale = 1e-3 * len(trained) * len(trained[0])
    pairs = [
        [[value / scale for value in row] for row in pair]
        for pair in zip(slow_gram(trained), slow_gram(reference), strict=True)
    ]
    if similarity == "squared_cosine":
        return mean([abs(slow_cosine(*pair)) for pair in pairs]) ** 2
    return -sigmoid(mean([slow_error(*pair) for pair in pairs]))


def test_check_values():
    reference = torch.tensor([[1.0, 0, 2], [0, 1, 1]]).double()[None, :, None]
    trained = torch.tensor([[1.0, 1, 0], [2, 0, 1]]).double()[None, :, None]
    assert gram_matrix(reference).tolist() == [[[5, 2], [2, 2]]]
    assert gram_matrix(trained).tolist() == [[[2, 2], [2, 5]]]
    loss = AntiTransferLoss()(trained, reference).item()
    assert loss == pytest.approx((28 / 37) ** 2, rel=1e-14)
    assert round(loss, 6) == 0.572681


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_against_loops(options):
    trained, reference = features(0), features(1)
    expected = slow_loss(trained, reference, **options)
    assert 0.05 < abs(expected) < 0.999
    assert AntiTransferLoss(**options)(trained, reference).item() == pytest.approx(
        expected, rel=1e-9
    )
    scaled = AntiTransferLoss(**options, beta=-3.0)(trained, reference)
    assert scaled.item() == pytest.approx(-3 * expected)


def test_rows_of_a_batch_are_compared_without_sign():
    trained = torch.ones(1, 4, 1, 1)
    reference = torch.tensor([1.0, -1, -1, -1]).reshape(1, 4, 1, 1)
    # The cosines of the rows are -0.5, 0.5, 0.5 and 0.5.
    assert AntiTransferLoss(gram="batch_rowwise")(trained, reference).item() == pytest.approx(0.25)


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_identical_features_are_worst(options):
    trained, loss = features(0), AntiTransferLoss(**options, beta=2.0)
    lowest, highest = (0, 2) if options["similarity"] == "squared_cosine" else (-2, -1)
    assert loss(trained, trained).item() == pytest.approx(highest, rel=1e-12)
    assert lowest <= loss(trained, features(1)).item() < highest


def test_maps_without_a_common_place_do_not_resemble():
    trained = torch.tensor([[[[1.0, 2, 0, 0]]]])
    assert AntiTransferLoss("max")(trained, trained.flip(-1)).item() == 0


def test_gram_tells_no_order_of_frames_but_one_of_channels():
    trained, loss = features(0), AntiTransferLoss()
    assert loss(trained, trained.flip(-1)).item() == pytest.approx(1)
    assert loss(trained, trained.flip(1)).item() < 0.95


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_gradient(options):
    torch.manual_seed(0)
    trained = torch.rand(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    reference = features(1, shape=(2, 3, 2, 3))
    loss = AntiTransferLoss(**options)
    assert torch.autograd.gradcheck(loss, (trained, reference, torch.tensor([3, 2])))


HOMOGENEOUS = [{}, {"gram": "batch_rowwise"}] + [
    {"aggregation": aggregation} for aggregation in ("mean", "sum", "max")
]


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e12])
@pytest.mark.parametrize("options", HOMOGENEOUS, ids=str)
def test_the_cosine_knows_no_scale(options, scale):
    trained, reference = (features(seed).float() for seed in (0, 1))
    loss = AntiTransferLoss(**options)
    assert loss(scale * trained, scale * trained).item() == pytest.approx(1)
    expected = pytest.approx(loss(trained, reference).item(), rel=1e-5)
    assert loss(scale * trained, reference).item() == expected
    assert loss(trained, scale * reference).item() == expected


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e30])
def test_a_gram_of_the_reference_may_have_any_scale(scale):
    trained, reference, loss = features(0).float(), features(1).float(), AntiTransferLoss()
    expected = pytest.approx(loss(trained, reference).item(), rel=1e-5)
    assert loss(trained, scale * gram_matrix(reference)).item() == expected


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("options", HOMOGENEOUS, ids=str)
def test_gradient_at_any_scale(options, scale):
    torch.manual_seed(0)
    trained = torch.rand(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    reference, loss = features(1, shape=(2, 3, 2, 3)), AntiTransferLoss(**options)
    assert torch.autograd.gradcheck(lambda x: loss(scale * x, reference), trained)


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_no_gradient_reaches_the_reference(options):
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU()) for _ in range(2)]
    x = 0.1 * torch.randn(3, 1, 6, 8)
    AntiTransferLoss(**options)(*(network(x) for network in networks)).backward()
    assert networks[0][0].weight.grad.any()
    assert networks[1][0].weight.grad is None


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_what_the_padding_holds_changes_nothing(options):
    loss = AntiTransferLoss(**options)
    results = []
    for extra, value in ((0, 0.0), (0, -5.0), (5, 7.0)):
        behind = torch.arange(6 + extra) >= LENGTHS[:, None, None, None]
        trained, reference = (
            pad(features(seed), (0, extra)).masked_fill(behind, value) for seed in (0, 1)
        )
        found = loss(trained.requires_grad_(), reference, LENGTHS)
        found.backward()
        assert not trained.grad.masked_select(behind).any()
        results.append((found.detach(), trained.grad[..., :6]))
    torch.testing.assert_close(results[0], results[1])
    torch.testing.assert_close(results[0], results[2])


@pytest.mark.parametrize("options", [o for o in ALL_OPTIONS if "gram" not in o], ids=str)
def test_a_padded_batch_is_the_mean_of_its_utterances(options):
    trained, reference, loss = features(0), features(1), AntiTransferLoss(**options)
    alone = [
        loss(trained[[row], ..., :n], reference[[row], ..., :n]).item()
        for row, n in enumerate(LENGTHS)
    ]
    assert loss(trained, reference, LENGTHS).item() == pytest.approx(mean(alone))


@pytest.mark.parametrize("similarity", ["squared_cosine", "sigmoid_mse"])
def test_padding_of_a_batch_of_rows_is_cut(similarity):
    loss = AntiTransferLoss(gram="batch_rowwise", similarity=similarity)
    trained, reference, lengths = features(0), features(1), torch.tensor([4, 4, 4])
    expected = loss(trained[..., :4], reference[..., :4]).item()
    assert loss(trained, reference, lengths).item() == pytest.approx(expected)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "padded"])
@pytest.mark.parametrize("similarity", ["squared_cosine", "sigmoid_mse"])
def test_gram_of_the_reference_can_be_kept(similarity, lengths):
    trained, reference = features(0).requires_grad_(), features(1)
    kept = gram_matrix(reference, lengths).requires_grad_()
    loss = AntiTransferLoss(similarity=similarity)
    found = loss(trained, kept, lengths)
    assert torch.equal(found, loss(trained, reference, lengths))
    found.backward()
    assert trained.grad.any()
    assert kept.grad is None


@pytest.mark.parametrize("scale", [0, 1e-25, 1e-20, 1e-15])
@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_dead_features_have_a_finite_loss_and_gradient(options, scale):
    trained = (scale * features(0).float()).requires_grad_()
    loss = AntiTransferLoss(**options)(trained, features(1).float())
    loss.backward()
    assert loss.isfinite()
    assert trained.grad.isfinite().all()


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_mixed_precision_is_computed_in_single(options):
    trained, reference = (features(seed, dtype=torch.bfloat16) for seed in (0, 1))
    loss = AntiTransferLoss(**options)
    expected = loss(trained.float(), reference.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(trained, reference)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["aggregation", "similarity", "gram"])
def test_unknown_option(name):
    with pytest.raises(ValueError, match=f"{name} is one of .*not 'other'"):
        AntiTransferLoss(**{name: "other"})


@pytest.mark.parametrize(
    ("options", "trained", "reference", "message"),
    [
        ({}, (3, 4, 6), (3, 4, 6), "channels, bins and frames"),
        ({}, (3, 4, 2, 6), (3, 5, 2, 6), r"shape \(3, 4, 2, 6\).*got \(3, 5, 2, 6\)"),
        ({}, (3, 4, 2, 6), (3, 5, 5), r"shape \(3, 4, 4\).*got \(3, 5, 5\)"),
        ({"gram": "batch_rowwise"}, (3, 4, 2, 6), (3, 4, 4), "give its feature maps"),
        ({"aggregation": "max"}, (3, 4, 2, 6), (3, 4, 4), "give its feature maps"),
    ],
    ids=["axes", "channels", "gram", "gram_of_batch", "gram_for_max"],
)
def test_wrong_shapes(options, trained, reference, message):
    with pytest.raises(ValueError, match=message):
        AntiTransferLoss(**options)(torch.ones(trained), torch.ones(reference))


def test_product_refuses_negative_features():
    loss = AntiTransferLoss("compressed_product")
    with pytest.raises(ValueError, match="no negative features; tap behind the ReLU"):
        loss(features(0) - 0.1, features(1))
