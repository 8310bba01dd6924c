"""
Quaternion networks against real ones
=====================================

Parameters, CPU time and peak memory of a training step on one thread: VGG16, AlexNet and ResNet-50
of Guizzo (2023), of real numbers on spectrograms of 128 bins and 512 frames, and of quaternions on
what RH-emo makes of these, 4 channels of 64 bins and 64 frames::

    python examples/benchmarks/bench_quaternion.py

``--batch 20`` is that of the thesis. What RH-emo itself costs is left out; its embeddings are
computed once.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from _timing import best_step
from torch import nn
from torch.nn import functional

from serkit.modules import UtteranceNetwork, make_backbone

SHAPES = {"real": (1, 128, 512), "quaternion": (4, 64, 64)}
N_CLASSES = 4


def make_network(name, domain, width):
    """Return a network with its last layer."""
    channels, bins, frames = SHAPES[domain]
    size = {"n_channels": channels, "n_bins": bins, "n_frames": frames}
    encoder = make_backbone(name, domain=domain, width=width, **size)
    return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, N_CLASSES))


def make_step(name, domain, width, batch):
    """Return a function that trains one step."""
    network = make_network(name, domain, width).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, fused=True)
    x, y = torch.rand(batch, *SHAPES[domain]), torch.randint(N_CLASSES, (batch,))

    def step():
        functional.cross_entropy(network(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=2)
    arguments, _ = parser.parse_known_args(arguments)
    print(f"batches of {arguments.batch}, width {arguments.width:g}")
    print(f"{'':>10} {'domain':>10} {'parameters':>12} {'s per step':>10} {'GB':>6}")
    for name in ("vgg16", "alexnet", "resnet50"):
        values = []
        for domain in SHAPES:
            with torch.device("meta"):
                network = make_network(name, domain, arguments.width)
            n_parameters = sum(weights.numel() for weights in network.parameters())
            step = name, domain, arguments.width, arguments.batch
            seconds, peak = best_step(make_step, *step, repeats=arguments.steps)
            values.append((n_parameters, seconds, peak))
            print(
                f"{name:>10} {domain:>10} {n_parameters:12} {seconds:10.2f} {peak:6.2f}", flush=True
            )
        shares = [quaternion / real for real, quaternion in zip(*values, strict=True)]
        print(f"{'':>10} {'share':>10} {shares[0]:12.1%} {shares[1]:10.1%} {shares[2]:6.1%}")


if __name__ == "__main__":
    main()
