"""Pipelines by short names."""

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from serkit.cli._arguments import names

__all__ = ["DEMO_PIPELINES", "PIPELINES", "make_pipelines", "pipeline_names", "progress_bars"]

DEMO_PIPELINES = ["mfcc-svm", "egemaps-svm", "mfcc-mlp", "mfcc-crnn", "mfcc-dat"]
PIPELINES = {
    "mfcc-svm": "MFCC statistics + SVM",
    "egemaps-svm": "eGeMAPSv02 + SVM",
    "compare-svm": "ComParE_2016 + SVM",
    "mfcc-mlp": "MFCC statistics + MLP",
    "mfcc-crnn": "MFCC + CRNN",
    "mfcc-dat": "MFCC + DAT",
}
DETAILS = """\
pipelines (SVM: linear; all features are standardised):
  mfcc-svm     MFCCs and their deltas, mean, deviation, percentiles; SVM
  egemaps-svm  88 functionals of openSMILE, set eGeMAPSv02; SVM
  compare-svm  6373 functionals of openSMILE, set ComParE_2016; SVM
  mfcc-mlp     features of mfcc-svm; a network with one hidden layer
  mfcc-crnn    frames of MFCCs; convolutions, then a recurrent network
  mfcc-dat     mfcc-crnn, trained not to know who speaks (three speakers or
               more in training)
"""


def pipeline_names(text: str) -> list[str]:
    """Split NAME,NAME,... and raise if there is no such pipeline."""
    found = names(text)
    for name in found:
        if name not in PIPELINES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PIPELINES)}")
    return found


def make_pipelines(
    short_names: list[str], *, device: str = "auto", validation: Any = None
) -> dict[str, Any]:
    """Return the pipelines that can be made here, under the names that tables give them."""
    from serkit.evaluation import baseline_pipelines

    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        available = baseline_pipelines(validation=validation)
    wanted = [PIPELINES[name] for name in short_names]
    pipelines = {name: available[name] for name in wanted if name in available}
    if len(pipelines) < len(wanted):  # What is missing matters if it is asked for.
        for note in notes:
            warnings.warn(note.message, stacklevel=2)
    if not pipelines:
        raise ValueError("none of the pipelines can be run; name others, or see serkit info")
    for pipeline in pipelines.values():
        set_device(pipeline, device)
    return pipelines


def set_device(estimator: Any, device: str) -> None:
    """Say where the networks inside are trained; features stay where they are."""
    from serkit.neural_network import NeuralEstimator

    check_device(device)
    for part in (estimator, *estimator.get_params(deep=True).values()):
        if isinstance(part, NeuralEstimator):
            part.set_params(device=device)


@contextmanager
def progress_bars(estimator: Any, *, show: bool) -> Iterator[None]:
    """Let the parts of serkit show how far they are; what others print is no progress bar."""
    parts = [
        part
        for part in estimator.get_params(deep=True).values()
        if type(part).__module__.startswith("serkit.") and "verbose" in part.get_params(deep=False)
    ]
    before = [part.verbose for part in parts]
    for part in parts:
        part.set_params(verbose=int(show))
    try:
        yield
    finally:
        for part, verbose in zip(parts, before, strict=True):
            part.set_params(verbose=verbose)


def check_device(device: str) -> None:
    """Raise if there is no such device."""
    import torch

    from serkit.training import choose_device

    try:
        torch.zeros(1, device=choose_device(device))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"--device {device} cannot be used here ({str(error).splitlines()[0]}); serkit info "
            "lists the devices"
        ) from error
