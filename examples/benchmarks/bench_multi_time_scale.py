"""
Several time scales against one
===============================

CPU time and peak memory of a training step on one thread: network A2 of Guizzo (2023) with one
time scale, with three and with five, and the convolution alone, ours and written out in torch::

    python examples/benchmarks/bench_multi_time_scale.py

``--frames 898`` is the length to which the thesis pads the utterances of Emo-DB.
"""

import argparse
import os
from functools import reduce

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from _timing import best_step
from torch import nn
from torch.nn import functional

from serkit.modules import (
    MultiTimeScaleConv2d,
    MultiTimeScaleEncoder,
    UtteranceNetwork,
    resample_kernel,
)

SCALES = {
    "1": (1.0,),
    "3 (0.7 to 1.428)": (0.7, 1.0, 1.428),
    "3 (0.5 to 2)": (0.5, 1.0, 2.0),
    "5 (0.5 to 2)": (0.5, 0.7, 1.0, 1.428, 2.0),
}
N_BINS, KERNEL = 161, (5, 10)


class WrittenOut(nn.Conv2d):
    """The same convolution as the formulas say it: every scale by itself, then the maximum."""

    def __init__(self, n_inputs, n_filters, factors):
        super().__init__(n_inputs, n_filters, KERNEL)
        self.lengths = [int(factor * KERNEL[1] + 1e-9) for factor in factors]

    def forward(self, x):
        """Return the maximum over the scales."""
        n_frames = x.shape[-1] - KERNEL[1] + 1
        maps = []
        for length in self.lengths:
            kernel = resample_kernel(self.weight, length)
            each = functional.conv2d(x, kernel, self.bias)
            if length != KERNEL[1]:
                size = (each.shape[2], n_frames)
                each = functional.interpolate(each, size=size, mode="bilinear")
            maps.append(each)
        return reduce(torch.maximum, maps)


def make_step(what, factors, batch, n_frames):
    """Return a function that trains one step."""
    x = torch.randn(batch, 1, N_BINS, n_frames)
    y = torch.randint(7, (batch,))
    if what == "A2":
        encoder = MultiTimeScaleEncoder(1, N_BINS, n_frames, scale_factors=factors)
        network = UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, 7))
    elif what == "convolution":
        network = MultiTimeScaleConv2d(1, 10, KERNEL, scale_factors=factors)
    else:
        network = WrittenOut(1, 10, factors)
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def step():
        output = network(x)
        loss = functional.cross_entropy(output, y) if what == "A2" else output.square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--steps", type=int, default=4)
    arguments, _ = parser.parse_known_args(arguments)
    print(f"{arguments.batch} utterances of {N_BINS} bins and {arguments.frames} frames")
    header = f"{'':>12} {'scales':>17} {'s per step':>10} {'ratio':>6} {'GB':>6} {'ratio':>6}"
    print(header)
    for what in ("A2", "convolution", "written out"):
        first = None
        for name, factors in SCALES.items():
            step = what, factors, arguments.batch, arguments.frames
            seconds, peak = best_step(make_step, *step, repeats=arguments.steps)
            first = first or (seconds, peak)
            ratios = seconds / first[0], peak / first[1]
            print(
                f"{what:>12} {name:>17} {seconds:10.3f} {ratios[0]:6.2f} {peak:6.2f} "
                f"{ratios[1]:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
