"""Networks of the generative models."""

import pytest

from serkit.modules import (
    AdversarialAutoencoderGANNetwork,
    AdversarialAutoencoderNetwork,
    InfoGANAutoencoderNetwork,
)


@pytest.mark.parametrize(
    ("network", "counts"),
    [
        (AdversarialAutoencoderNetwork, [2_133_802, 2_135_382, 557_701]),
        (AdversarialAutoencoderGANNetwork, [2_133_802, 2_135_382, 557_701, 2_137_701]),
        (
            InfoGANAutoencoderNetwork,
            [2_571_056, 2_572_382, 811_701, 2_137_701, 39_596, 13_444],
        ),
    ],
)
def test_numbers_of_weights(network, counts):
    parts = dict(network(1582, 4).named_children())
    assert [sum(w.numel() for w in part.parameters()) for part in parts.values()] == counts
