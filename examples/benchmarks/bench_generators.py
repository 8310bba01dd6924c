"""
Generative models against loops written out in torch
====================================================

CPU time of training on one thread, the three models of Sahu et al. (2020) against
plain loops over copies of the same networks, in turns. The loops, too, compute no
gradient twice and none that is not needed::

    python examples/benchmarks/bench_generators.py

``--epochs 200`` is the full length; the ratio is that of an epoch at any length.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn import functional

from serkit.modules import (
    AdversarialAutoencoderGANNetwork,
    AdversarialAutoencoderNetwork,
    InfoGANAutoencoderNetwork,
)
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    GaussianMixturePrior,
    InfoGANAutoencoder,
)

N_ROWS, N_FEATURES, N_CLASSES, BATCH = 535, 1582, 4, 32
MODELS = {
    "M1": (AdversarialAutoencoder, AdversarialAutoencoderNetwork),
    "M2": (AdversarialAutoencoderGAN, AdversarialAutoencoderGANNetwork),
    "M3": (InfoGANAutoencoder, InfoGANAutoencoderNetwork),
}


def train_plainly(network, X, y, epochs: int) -> None:
    """Train as a loop written for the paper does: its losses, its rates, SGD."""
    X = torch.as_tensor(X)
    classes = functional.one_hot(torch.as_tensor(y), N_CLASSES).float()
    means = torch.as_tensor(GaussianMixturePrior().build(N_CLASSES, 2).means_).float()
    has_noise = hasattr(network, "code_generator")
    sgd = torch.optim.SGD
    autoencoder = [*network.encoder.parameters(), *network.decoder.parameters()]
    code_rate = 0.01 if has_noise else 0.1
    reconstruct = sgd(autoencoder, lr=1e-3, momentum=0.0 if has_noise else 0.9)
    discriminate = sgd(network.code_discriminator.parameters(), lr=code_rate)
    encode = sgd(network.encoder.parameters(), lr=code_rate)
    if hasattr(network, "feature_discriminator"):
        judge = sgd(network.feature_discriminator.parameters(), lr=1e-4)
        made = [*network.decoder.parameters()]
        if has_noise:
            made += [*network.code_generator.parameters(), *network.aux.parameters()]
        generate = sgd(made, lr=1e-3)

    def draw(n):
        labels = torch.randint(N_CLASSES, (n,))
        noise = torch.randn(n, 20) if has_noise else means[labels] + torch.randn(n, 2)
        return noise, functional.one_hot(labels, N_CLASSES).float()

    def entropy(logits, target):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward(inputs=optimizer.param_groups[0]["params"])
        optimizer.step()

    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(BATCH):
            x, c = X[rows], classes[rows]
            step(reconstruct, functional.mse_loss(network.decoder(network.encoder(x)), x))
            z, k = draw(len(x))
            with torch.no_grad():
                z = network.target_codes(z, k)
            codes, judged = network.encoder(x), network.code_discriminator
            loss = entropy(judged(codes.detach(), c), 1.0) + entropy(judged(z, k), 0.0)
            step(discriminate, loss)
            step(encode, entropy(judged(codes, c), 0.0))
            if not hasattr(network, "feature_discriminator"):
                continue
            z, k = draw(len(x))
            with torch.no_grad():
                fake = network.generate(z, k)
            judged = network.feature_discriminator
            step(judge, entropy(judged(fake, k), 1.0) + entropy(judged(x, c), 0.0))
            for _ in range(2):
                z, k = draw(len(x))
                fake = network.generate(z, k)
                loss = entropy(judged(fake, k), 0.0)
                if has_noise:
                    loss = loss + network.aux_loss(fake, k)
                step(generate, loss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[1])
    parser.add_argument("--data", help="not used")
    parser.add_argument("--epochs", type=int, default=5, help="of each measured round")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)  # so few epochs draw nothing of use
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)
    y = rng.integers(N_CLASSES, size=N_ROWS)
    print(f"One epoch of {N_ROWS} rows of {N_FEATURES} features, batches of {BATCH}, SGD:")
    print("       serkit  plain loop  ratio")
    for name in arguments.models:
        estimator, make_network = MODELS[name]
        model = estimator(preset="paper", max_epochs=arguments.epochs, device="cpu")
        ratios, seconds = [], []
        for repeat in range(1 + arguments.repeats):
            start = time.process_time()
            model.fit(X, y)
            middle = time.process_time()
            train_plainly(make_network(N_FEATURES, N_CLASSES), X, y, arguments.epochs)
            times = middle - start, time.process_time() - middle
            if repeat:  # the first round is longer
                seconds.append(times)
                ratios.append(times[0] / times[1])
        fit, plain = np.median(seconds, axis=0) / arguments.epochs
        print(f"  {name} {fit:8.2f} s {plain:9.2f} s {np.median(ratios):6.3f}", flush=True)


if __name__ == "__main__":
    main()
