"""
Networks against plain loops of torch
=====================================

CPU time of training on one thread: the convolutional and recurrent network against
the same one written out with stock layers and settings, utterances of their own
lengths against padded ones, a network for functionals against a plain loop and bare
skorch, and every network against a plain loop over its own layers::

    python examples/benchmarks/bench_networks.py --data path/to/emodb

Convolutional rivals run in turns in processes of their own, so that the settings of
memory that serkit makes do not help the other one.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _plain_loop import PlainLoop
from _timing import print_ratios
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional

from serkit.datasets import load_emodb
from serkit.feature_extraction import MFCC
from serkit.neural_network import (
    ACRNNClassifier,
    CLDNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    GLAMClassifier,
    LDNNClassifier,
    MLPClassifier,
)
from serkit.preprocessing import AudioLoader, SilenceTrimmer, WienerFilter

N_CLASSES, BATCH, N_FRAMES = 7, 32, 281

#: Bins and convolution blocks, and batches per measured epoch.
NETWORKS = {
    "MFCC 20, 1 block": (20, 1, 2),
    "MFCC 20, 2 blocks": (20, 2, 2),
    "log-mel 128, 1 block": (128, 1, 1),
}

#: Inputs and hidden units of the networks for functionals.
PERCEPTRONS = {"88-64-7": (88, 64), "1582-256-7": (1582, 256)}

#: Networks by name: the estimator, and the channels, bins and hop (in ms) of its frames.
LOOPS = {
    "CRNN": (CRNNClassifier(), (1, 20, 32)),
    "DAT": (DomainAdversarialClassifier(), (1, 20, 32)),
    "DAT, TDNN-BiLSTM": (DomainAdversarialClassifier("tdnn_bilstm"), (1, 20, 32)),
    "DAT, CNN1D-GRU": (DomainAdversarialClassifier("cnn1d_gru"), (1, 43, 10)),
    "LDNN": (LDNNClassifier(), (1, 40, 10)),
    **{
        f"CLDNN {kind}, 8 filters": (
            CLDNNClassifier(kind, n_filters=8, lstm_hidden_size=64),
            (1, 40, 10),
        )
        for kind in ("s", "t", "st", "fst")
    },
    "ACRNN, 16 and 32 filters": (
        ACRNNClassifier(conv_channels=(16, 32), linear_size=128, lstm_hidden_size=64),
        (3, 40, 10),
    ),
    "GLAM": (GLAMClassifier(), (1, 26, None)),
    "Modified GLAM": (GLAMClassifier(n_blocks=4), (1, 26, None)),
}


class StockCRNN(nn.Module):
    """The network of :class:`CRNNClassifier` in stock layers, in the order of the paper."""

    def __init__(self, n_bins, n_blocks, conv_dropout=0.1, dropout=0.5):
        super().__init__()
        layers, channels = [], 1
        for _ in range(n_blocks):
            layers += [
                nn.Conv2d(channels, 64, kernel_size=2, padding=1, bias=False),
                nn.BatchNorm2d(64),
                nn.Dropout2d(conv_dropout),
                nn.ELU(),
                nn.MaxPool2d(2),
            ]
            channels, n_bins = 64, (n_bins + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        self.gru = nn.GRU(64 * n_bins, 256, batch_first=True, bidirectional=True)
        self.projection = nn.Linear(512, 512)
        self.head = nn.Sequential(
            *(nn.Linear(1024, 128), nn.BatchNorm1d(128), nn.Dropout(dropout), nn.ReLU()),
            *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.Dropout(dropout), nn.ReLU()),
            nn.Linear(128, N_CLASSES),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of every utterance."""
        x = self.convolutions(x).flatten(1, 2).transpose(1, 2)
        x = self.projection(self.gru(x)[0])
        return self.head(torch.cat([x.mean(dim=1), x.std(dim=1)], dim=1))


def train_plainly(network: nn.Module, X, y, epochs: int) -> None:
    """Train as a plain loop does: shuffled rows of a tensor, Adam with its defaults."""
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            functional.cross_entropy(network(X[rows]), y[rows]).backward()
            optimizer.step()
        EpochEnds.times.append(time.process_time())


class EpochEnds(Callback):
    """Write down when epochs end."""

    times: list[float] = []  # noqa: RUF012  # copies of the callback share it

    def on_epoch_end(self, net, **_):
        """Write the CPU time down."""
        self.times.append(time.process_time())


def seconds_per_epoch(train: Callable[[], object]) -> float:
    """Return the least CPU time of an epoch behind the first."""
    EpochEnds.times.clear()
    train()
    return float(np.diff(EpochEnds.times).min())


def made_frames(n_utterances: int, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_utterances, 1, n_bins, N_FRAMES)).astype(np.float32)
    return X, np.arange(n_utterances) % N_CLASSES


def work(rival: str, name: str) -> None:
    """Train one rival, in a process of its own, and print the seconds of an epoch."""
    n_bins, n_blocks, n_batches = NETWORKS[name]
    X, y = made_frames(n_batches * BATCH, n_bins)
    epochs = 3
    if rival == "serkit":
        crnn = CRNNClassifier(n_blocks, max_epochs=epochs, callbacks=[EpochEnds()], device="cpu")
        print(seconds_per_epoch(lambda: crnn.fit(X, y)))
    else:
        network = StockCRNN(n_bins, n_blocks)
        print(seconds_per_epoch(lambda: train_plainly(network, X, y, epochs)))


def stock_against_serkit(repeats: int) -> None:
    for name, (*_, n_batches) in NETWORKS.items():
        seconds = {"plain torch": np.inf, "serkit": np.inf}
        for _ in range(repeats):
            for rival in seconds:
                command = [sys.executable, __file__, "--work", rival, name]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds[rival] = min(seconds[rival], float(done.stdout) / n_batches)
        title = f"One step of training, {name}, {N_FRAMES} frames, batch {BATCH}"
        print_ratios(title, seconds, reference="plain torch")


def print_first_step() -> None:
    """Print how far loss and gradients of a first step on 8 utterances are apart, dropout off."""
    print("First step, largest difference from plain torch in double precision")
    print("(gradients relative to the largest of their tensor)")
    for name, (n_bins, n_blocks, _) in NETWORKS.items():
        X, y = map(torch.as_tensor, made_frames(8, n_bins))
        exact = StockCRNN(n_bins, n_blocks, 0.0, 0.0).double()
        weights = list(exact.state_dict().values())
        rivals = {
            "serkit, double precision": (serkit_network(n_bins, n_blocks), torch.float64),
            "serkit, single precision": (serkit_network(n_bins, n_blocks), torch.float32),
            "plain torch, single precision": (StockCRNN(n_bins, n_blocks, 0, 0), torch.float32),
        }
        loss, gradients = first_step(exact, X.double(), y)
        print(f"  {name}")
        for rival, (network, dtype) in rivals.items():
            network.to(dtype).load_state_dict(dict(zip(network.state_dict(), weights, strict=True)))
            found, found_gradients = first_step(network, X.to(dtype), y)
            differences = [
                float((one - other).abs().max() / other.abs().max())
                for one, other in zip(found_gradients, gradients, strict=True)
                # The gradient of a bias before batch normalisation is zero.
                if other.abs().max() > 1e-10
            ]
            print(
                f"    {rival:<32}loss {abs(found - loss) / loss:.0e}"
                f"   gradients {max(differences):.0e}"
            )


def serkit_network(n_bins: int, n_blocks: int) -> nn.Module:
    """Return the network of an estimator, by training it on next to nothing."""
    crnn = CRNNClassifier(n_blocks, conv_dropout=0.0, dropout=0.0, max_epochs=1, device="cpu")
    return crnn.fit(*made_frames(N_CLASSES, n_bins)).net_.module_


def first_step(network: nn.Module, X: torch.Tensor, y: torch.Tensor) -> tuple[float, list]:
    network.train().zero_grad()
    loss = functional.cross_entropy(network(X), y)
    loss.backward()
    return loss.item(), [parameter.grad.double() for parameter in network.parameters()]


def lengths_against_padding(folder: Path | None) -> None:
    X = frames_of_emodb(folder) if folder else frames_like_emodb()
    X = X[::2]
    y = np.arange(len(X)) % N_CLASSES
    padded = np.zeros((len(X), 1, 20, max(N_FRAMES, max(x.shape[-1] for x in X))), np.float32)
    for row, x in zip(padded, X, strict=True):
        row[..., : x.shape[-1]] = x
    seconds = {}
    for name, utterances in {"padded to one length": padded, "lengths of their own": X}.items():
        crnn = CRNNClassifier(max_epochs=2, callbacks=[EpochEnds()], device="cpu")
        seconds[name] = seconds_per_epoch(lambda X=utterances, crnn=crnn: crnn.fit(X, y))
    mean = np.mean([x.shape[-1] for x in X])
    title = f"One epoch, MFCC 20, 1 block, {len(X)} utterances of {mean:.0f} frames on average"
    print_ratios(title, seconds, reference="padded to one length")


def frames_of_emodb(folder: Path) -> list[np.ndarray]:
    steps = AudioLoader(), SilenceTrimmer(top_db=25), WienerFilter()
    mfcc = MFCC(n_mfcc=20, n_fft=2048, hop_length=512, convention="torchaudio")
    return list(make_pipeline(*steps, mfcc).transform(load_emodb(folder).audio))


def frames_like_emodb() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(75), 0.35, 535), 30, N_FRAMES).astype(int)
    return [rng.normal(size=(1, 20, length)).astype(np.float32) for length in lengths]


def functionals(repeats: int) -> None:
    n_batches, epochs = 50, 10
    for name, (n_inputs, n_hidden) in PERCEPTRONS.items():
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n_batches * BATCH, n_inputs)).astype(np.float32)
        y = rng.integers(N_CLASSES, size=len(X))

        def make(n_inputs=n_inputs, n_hidden=n_hidden) -> nn.Module:
            hidden = nn.Linear(n_inputs, n_hidden), nn.ReLU(), nn.Dropout(0.5)
            return nn.Sequential(*hidden, nn.Linear(n_hidden, N_CLASSES))

        options = {"max_epochs": epochs, "lr": 1e-3, "callbacks": [EpochEnds()], "device": "cpu"}
        skorch = NeuralNetClassifier(
            make,
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            batch_size=BATCH,
            train_split=None,
            verbose=0,
            **options,
        )
        serkit = MLPClassifier((n_hidden,), batch_size=BATCH, **options)
        rivals = {
            "plain torch": lambda make=make, X=X, y=y: train_plainly(make(), X, y, epochs),
            "skorch": lambda skorch=skorch, X=X, y=y: skorch.fit(X, y),
            "serkit": lambda serkit=serkit, X=X, y=y: serkit.fit(X, y),
        }
        seconds = dict.fromkeys(rivals, np.inf)
        for _ in range(repeats):
            for rival, train in rivals.items():
                of_epoch = seconds_per_epoch(train)
                seconds[rival] = min(seconds[rival], 1000 * of_epoch / n_batches)
        print_ratios(
            f"1000 steps of training, {name}, batch {BATCH}", seconds, reference="plain torch"
        )


def loops(epochs: int, chosen: list[str] | None) -> None:
    n_utterances = 2 * BATCH
    y, speakers = np.arange(n_utterances) % N_CLASSES, np.arange(n_utterances) % 6
    print(f"One epoch of {n_utterances} utterances, with the lengths of Emo-DB or of two seconds:")
    print(f"  {'':<28}  fit  plain loop  ratio  batches of all")
    for name, (network, shape) in LOOPS.items():
        if chosen and not any(word.lower() in name.lower() for word in chosen):
            continue
        X = made_speech(n_utterances, *shape)
        PlainLoop.X, PlainLoop.seconds = list(map(torch.from_numpy, X)), []
        network.set_params(
            max_epochs=1 + epochs,
            batch_size=BATCH,
            patience=None,
            validation=None,
            callbacks=[PlainLoop()],
            device="cpu",
        )
        network.fit(X, y, speakers=speakers)
        fit, plain, batches = np.array(PlainLoop.seconds[1:]).T
        print(
            f"  {name:<28}{np.median(fit):6.2f} s{np.median(plain):6.2f} s"
            f"{np.median(fit / plain):7.3f}{np.median(batches / fit):10.1%}",
            flush=True,
        )


def made_speech(n_utterances: int, n_channels: int, n_bins: int, hop: int | None) -> list:
    """Return noise of the lengths of Emo-DB, or of 63 frames where there is no hop."""
    rng = np.random.default_rng(0)
    seconds = np.clip(rng.lognormal(np.log(2.4), 0.35, n_utterances), 1, 9)
    lengths = [63] * n_utterances if hop is None else (1000 * seconds / hop).astype(int)
    shape = n_channels, n_bins
    return [rng.normal(size=(*shape, length)).astype(np.float32) for length in lengths]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[1])
    parser.add_argument("--data", type=Path, help="folder of Emo-DB; default: made lengths")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--work", nargs=2, metavar=("RIVAL", "NETWORK"), help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=("stock", "step", "lengths", "functionals", "loops"))
    parser.add_argument("--networks", nargs="+", help="words in the names of those for loops")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    if args.work:
        work(*args.work)
        return
    parts = {
        "stock": lambda: stock_against_serkit(args.repeats),
        "step": print_first_step,
        "lengths": lambda: lengths_against_padding(args.data),
        "functionals": lambda: functionals(3 * args.repeats),
        "loops": lambda: loops(4 * args.repeats, args.networks),
    }
    for name, part in parts.items():
        if args.only in (None, name):
            part()


if __name__ == "__main__":
    main()
