"""Text that the docstrings of the generative models share."""

from serkit.utils import fill_docstring

__all__ = ["complete_docstring"]

OPTIMIZATION = """\
preset : {"tuned", "paper"}, default="tuned"
    What the parameters that are "auto" stand for. "paper" has the optimizer
    and the rates of the paper, which need tens of thousands of updates;
    "tuned" those that were found to train in a tenth of the time:

%(presets)s
optimizer : {"auto", "adam", "sgd"}, default="auto"
    What takes the steps, one optimizer for each.
lr_reconstruction : float, default=1e-3
    Learning rate of encoder and decoder in reconstruction.
momentum : float, default=0.9
    Of "sgd" in reconstruction; the other steps have none.
lr_code_discriminator : float, default=0.1
    Learning rate of the discriminator of codes.
lr_encoder : float, default=0.1
    Learning rate of the encoder against that discriminator."""

SECOND_GAME = """\
lr_feature_discriminator : float, default=1e-4
    Learning rate of the discriminator of feature vectors.
lr_generator : float, default=1e-3
    Learning rate of what makes vectors against that discriminator.
n_generator_steps : int, default=2
    How often what makes vectors moves for every move of that discriminator."""

TRAINING = """\
reduction : {"mean", "sum"}, default="mean"
    What the squared error of a reconstructed vector is: mean or sum over its
    features. It acts as a factor of the learning rate.
class_sampling : {"uniform", "empirical"}, default="uniform"
    How often the classes are drawn from the prior in training: equally often,
    or as often as they are in `y`.
batch_size : int, default=32
    Rows of a minibatch, for each of which all steps are taken.
max_epochs : int, default=200
    Passes over the training rows.
max_updates : int or None, default=None
    Number of minibatches, instead of `max_epochs`: training that does not get
    shorter with fewer rows.
tol : float or None, default=None
    Stop when no loss, averaged over ten epochs, has changed by this share
    within `n_iter_no_change` epochs; ``None`` never stops. At the low rates of
    the paper the decoder hardly moves for thousands of updates, which is no
    sign of convergence.
n_iter_no_change : int, default=20
    See `tol`.
device : str or torch.device, default="auto"
    Where the model is trained; "auto" is a GPU if torch can use one, otherwise
    the CPU. Afterwards it is on the CPU.
num_threads : int or None, default=1
    Threads of torch; ``None`` leaves their number alone.
random_state : int, RandomState instance or None, default=None
    Seed of weights, order and draws. Pass an int for the same model, and the
    same samples, at every call.
verbose : int, default=0
    1 shows a progress bar, 2 a line per epoch."""

FITTED = """\
classes_ : ndarray of shape (n_classes,)
    The classes.
history_ : DataFrame
    One row per epoch: number of updates so far, the mean of every loss, and
    ``valid_…``, the losses on the rows ``X_val``. With those, ``trts`` and
    ``valid_trts`` are the share of sampled rows that a linear classifier
    recognises, one trained on the training rows, one on ``X_val``. Losses of
    adversaries are cross-entropies: ln 2, 0.693, says that neither side has
    the upper hand.
network_ : Module
    The networks, among them ``network_.encoder`` and ``network_.decoder``.
prior_ : object
    The prior, with what it has placed.
n_iter_ : int
    Number of epochs.
n_updates_ : int
    Number of minibatches.
training_rows_ : ndarray of uint64
    Digests of the training rows, by which :class:`GANSampler` notices a model
    that has seen the rows of a test fold.
n_features_in_ : int
    Number of features seen in ``fit``.
feature_names_in_ : ndarray of shape (n_features,)
    Their names, if `X` had names."""


def complete_docstring(cls: type) -> type:
    """Put the shared text in the place of its markers."""
    return fill_docstring(
        cls,
        {
            "optimization": OPTIMIZATION.replace("%(presets)s", _list_presets(cls)),
            "second_game": SECOND_GAME,
            "training": TRAINING,
            "fitted": FITTED,
        },
    )


def _list_presets(cls: type) -> str:
    """Return a list of what "auto" stands for, for the place below a parameter."""
    presets = getattr(cls, "_presets", {})
    return "\n".join(
        f"    - `{name}`: {value!r} (paper), {presets['tuned'][name]!r} (tuned)"
        for name, value in presets.get("paper", {}).items()
    )
