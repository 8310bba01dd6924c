"""Text that the docstrings of all networks share."""

from serkit.utils import fill_docstring

__all__ = ["complete_docstring"]

TRAINING_PARAMETERS = """\
optimizer : {"adam", "adamw", "nadam", "sgd", "rmsprop"} or callable, default="adam"
    What takes the steps; "sgd" has a momentum of 0.9. A callable gets the
    weights and ``lr`` (and ``weight_decay`` unless zero), as the classes of
    :mod:`torch.optim` do.
lr : float, default=1e-3
    Learning rate.
weight_decay : float, default=0.0
    Of the optimizer.
batch_size : int, default=32
    Most utterances per step. An epoch is divided into steps of sizes as
    equal as possible.
max_epochs : int, default=100
    Most passes over the training utterances.
patience : int or None, default=None
    Number of epochs without improvement on the validation utterances after
    which training ends; ``None`` goes on to `max_epochs`. Either way the best
    epoch is kept.
validation : "auto", float, splitter or None, default="auto"
    The utterances that choose the best epoch, which are not trained on.
    A float is the share of *speakers*, drawn at random, or of utterances if
    speakers are not given. A splitter gives its first split and gets the
    speakers as groups: ``LeaveSpeakersOut(...).inner()``, say. "auto" is 0.2 if
    speakers are given, otherwise ``None``: the last epoch is kept.
%(class_weight)saugment : callable or None, default=None
    Changes every training batch: takes the utterances (a tensor, padded by
    zeros), their lengths (``None`` if nothing is padded) and a
    `torch.Generator`, and returns the utterances.
callbacks : list or None, default=None
    Callbacks of skorch, or of :mod:`serkit.training`: `Checkpoint`, `Mixup`,
    `ExponentialDecay`.
device : str or torch.device, default="auto"
    "auto" is a GPU if torch can use one, otherwise the CPU.
mixed_precision : bool or "auto", default="auto"
    Compute in bfloat16 where torch deems it safe; "auto" does so on a GPU.
num_threads : int or None, default=1
    Threads of torch during ``fit`` and ``predict``; ``None`` leaves their
    number alone. More than one helps large networks on an idle machine.
random_state : int, RandomState instance or None, default=None
    Seed of weights, order, dropout and validation speakers. Pass an int for
    the same network at every call, in any process.
verbose : int, default=0
    1 shows a progress bar, 2 a line per epoch.
warm_start : bool, default=False
    Go on from the weights of the previous ``fit``."""

CRNN_PARAMETERS = """\
n_filters : int, default=64
    Filters of each convolution.
kernel_size : int or (int, int), default=2
    Extent of the filters (bins, frames).
pool_size : int or (int, int), default=2
    Extent of the max-pooling behind each convolution (bins, frames).
conv_dropout : float, default=0.1
    Probability that a map of the convolutions is dropped in training.
rnn_hidden_size : int, default=256
    Units of the GRU in each direction.
projection : bool, default=True
    Put a linear layer between the GRU and the pooling over time.
hidden_layer_sizes : tuple of int, default=(128, 128)
    Units of the hidden layers of the head.
dropout : float, default=0.5
    Probability that a unit of the head is dropped in training."""

CLASS_WEIGHT = """\
class_weight : {"balanced"}, dict or None, default=None
    Weights of the classes; "balanced" makes them inversely proportional to
    their number of training utterances.
"""

FITTED_ATTRIBUTES = """\
history_ : DataFrame
    One row per epoch: losses, learning rate, and for classifiers the
    unweighted average recall on the validation utterances (``valid_uar``).
net_ : UtteranceNet
    The skorch net; ``net_.module_`` is the network.
best_epoch_ : int
    The row of `history_` whose weights were kept.
n_features_in_ : int
    Number of columns of a numeric 2-D input.
n_channels_in_ : int
    Number of channels of the frames, 1 for functionals.
n_bins_in_ : int
    Number of bins of the frames, or of functionals.
n_frames_ : int or None
    Number of frames to which a network of fixed length brings every
    utterance; ``None`` if it takes any length."""

CLASSES = """\
classes_ : ndarray of shape (n_classes,)
    The classes.
"""


def complete_docstring(cls: type) -> type:
    """Put the shared text in the place of its markers.

    Parameters
    ----------
    cls : type
        A class whose docstring has the lines ``%(training)s`` and ``%(fitted)s``.

    Returns
    -------
    cls : type
    """
    is_classifier = hasattr(cls, "predict_proba")
    class_weight = CLASS_WEIGHT if is_classifier else ""
    return fill_docstring(
        cls,
        {
            "crnn": CRNN_PARAMETERS,
            "training": TRAINING_PARAMETERS.replace("%(class_weight)s", class_weight),
            "fitted": (CLASSES if is_classifier else "") + FITTED_ATTRIBUTES,
        },
    )
