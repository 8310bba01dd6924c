"""What is minimised: objectives of a network on a batch."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules import CCCLoss, DomainAdversarialNetwork

__all__ = [
    "ClassificationObjective",
    "ConcordanceObjective",
    "DomainAdversarialObjective",
    "RegressionObjective",
]

#: Speaker of an utterance that has none, such as a synthetic one.
NO_SPEAKER = -1


class Objective(nn.Module):
    """Weighted mean of a loss per utterance; the base of all objectives.

    Called with the network, a batch, and the progress of training in [0, 1), an
    objective returns the output of the network and the parts to record, of which
    "loss" is minimised.
    """

    #: The loss of many utterances is the mean of the losses of their batches.
    is_mean = True

    def forward(
        self,
        network: nn.Module,
        inputs: dict[str, Tensor],
        targets: dict[str, Tensor],
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        output = network(**inputs)
        return output, {"loss": self.loss(output, targets)}

    def loss(self, output: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """Return the weighted mean over the batch, of mixed targets where there are any."""
        if targets.keys().isdisjoint({"weight", "mixed_y"}):
            return self.mean_loss(output, targets["y"])
        losses, weights = self._weighted(output, targets["y"], targets.get("weight"))
        if "mixed_y" in targets:
            share = targets["share"]
            others, other_weights = self._weighted(
                output, targets["mixed_y"], targets.get("mixed_weight")
            )
            losses = share * losses + (1 - share) * others
            weights = share * weights + (1 - share) * other_weights
        # Of a batch of zero weights nothing is learnt; its gradient is zero, not NaN.
        return losses.sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)

    def _weighted(self, output: Tensor, y: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        losses = self.losses(output, y)
        weight = torch.ones_like(losses) if weight is None else weight
        return losses * weight, weight

    def losses(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every utterance."""
        raise NotImplementedError

    def mean_loss(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the mean of the losses, if all weigh the same."""
        return self.losses(output, y).mean()


class ClassificationObjective(Objective):
    """Cross-entropy.

    Examples
    --------
    >>> import torch
    >>> from serkit.training import ClassificationObjective
    >>> objective = ClassificationObjective()
    >>> targets = {"y": torch.tensor([0])}
    >>> objective(torch.nn.Identity(), {"input": torch.zeros(1, 2)}, targets, 0.0)
    (tensor([[0., 0.]]), {'loss': tensor(0.6931)})
    """

    def __init__(self) -> None:
        super().__init__()

    def losses(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every utterance.

        Parameters
        ----------
        output : Tensor of shape (n_utterances, n_classes)
            Logits.
        y : Tensor of shape (n_utterances,)
            Classes.

        Returns
        -------
        losses : Tensor of shape (n_utterances,)
        """
        return functional.cross_entropy(output, y, reduction="none")

    def mean_loss(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the mean of the losses, if all weigh the same.

        Parameters
        ----------
        output : Tensor of shape (n_utterances, n_classes)
            Logits.
        y : Tensor of shape (n_utterances,)
            Classes.

        Returns
        -------
        loss : Tensor
        """
        return functional.cross_entropy(output, y)  # the same, in one step for all utterances


class RegressionObjective(Objective):
    """Mean squared error.

    Examples
    --------
    >>> import torch
    >>> from serkit.training import RegressionObjective
    >>> objective = RegressionObjective()
    >>> objective.loss(torch.zeros(2, 1), {"y": torch.tensor([[1.0], [3.0]])})
    tensor(5.)
    """

    def __init__(self) -> None:
        super().__init__()

    def losses(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every utterance.

        Parameters
        ----------
        output : Tensor of shape (n_utterances, n_targets)
            Predicted values.
        y : Tensor of shape (n_utterances, n_targets)
            True values.

        Returns
        -------
        losses : Tensor of shape (n_utterances,)
        """
        return (output - y).square().mean(dim=1)


class ConcordanceObjective(Objective):
    """One minus the concordance correlation coefficient (CCC).

    Parameters
    ----------
    over : {"utterances", "time"}, default="utterances"
        "utterances" compares every target over all utterances of a batch, and
        takes the mean over the targets; "time" compares every row with itself,
        as a sequence, and takes the mean over the sequences.

    See Also
    --------
    serkit.modules.CCCLoss : What is computed.

    Examples
    --------
    >>> import torch
    >>> from serkit.training import ConcordanceObjective
    >>> output = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    >>> targets = {"y": torch.tensor([[1.0], [2.0], [3.0], [5.0]])}
    >>> ConcordanceObjective().loss(output, targets)
    tensor(0.0714)
    >>> sequence = {name: values.T for name, values in targets.items()}
    >>> ConcordanceObjective("time").loss(output.T, sequence)
    tensor(0.0714)
    """

    def __init__(self, over: str = "utterances") -> None:
        super().__init__()
        self.over = over
        self.is_mean = over == "time"
        self.discordance = CCCLoss("none", dim=-1 if over == "time" else 0)

    def losses(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every sequence.

        Parameters
        ----------
        output : Tensor of shape (n_sequences, n_steps)
            Predicted values.
        y : Tensor of shape (n_sequences, n_steps)
            True values.

        Returns
        -------
        losses : Tensor of shape (n_sequences,)
        """
        return self.discordance(output, y)

    def loss(self, output: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch, of mixed targets the mixture of two.

        Parameters
        ----------
        output : Tensor of shape (n_utterances, n_targets)
            Predicted values.
        targets : dict of str to Tensor
            "y", "weight" where utterances have one, and those of mixtures.

        Returns
        -------
        loss : Tensor
        """
        if self.over == "time":
            return super().loss(output, targets)
        loss = self._over_utterances(output, targets["y"], targets.get("weight"))
        if "mixed_y" not in targets:
            return loss
        other = self._over_utterances(output, targets["mixed_y"], targets.get("mixed_weight"))
        return targets["share"] * loss + (1 - targets["share"]) * other

    def _over_utterances(self, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        if weight is not None and not weight.any():
            return output.sum() * 0  # nothing is learnt
        return self.discordance(output, y, weight=weight).mean()


class DomainAdversarialObjective(ClassificationObjective):
    """Cross-entropy of the emotions, and of the speakers against the encoder.

    Parameters
    ----------
    gamma : float
        Rate at which the weight of the speakers, lambda, grows from zero:
        ``lambda = 2 / (1 + exp(-gamma * progress)) - 1``.
    form : {"grl", "negated_ce"}, default="grl"
        "grl": a gradient reversal layer before the speaker head, which is
        itself trained to tell speakers apart. "negated_ce": no such layer, the
        cross-entropy of the speakers is subtracted, and both heads end in a
        softmax before it; the speaker head is trained to fail.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.4; "negated_ce" is the form printed in its
    snippets 11 and 12.

    Examples
    --------
    >>> from serkit.training import DomainAdversarialObjective
    >>> round(DomainAdversarialObjective(gamma=2.5).lambda_at(0.5), 4)
    0.5546
    """

    def __init__(self, gamma: float, *, form: str = "grl") -> None:
        super().__init__()
        self.gamma = gamma
        self.form = form

    def lambda_at(self, progress: float) -> float:
        """Return the weight of the speakers.

        Parameters
        ----------
        progress : float
            Share of the training that is done, in [0, 1).

        Returns
        -------
        weight : float
        """
        return math.tanh(self.gamma * progress / 2)

    def forward(
        self,
        network: nn.Module,
        inputs: dict[str, Tensor],
        targets: dict[str, Tensor],
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Evaluate the objective on a batch.

        Parameters
        ----------
        network : DomainAdversarialNetwork
            The network; in evaluation mode only its emotion head is asked.
        inputs : dict of str to Tensor
            What the network gets.
        targets : dict of str to Tensor
            "y", "speaker" (-1: none), and "weight" where utterances have one.
        progress : float
            Share of the training that is done, in [0, 1).

        Returns
        -------
        output : Tensor of shape (n_utterances, n_emotions)
            Logits of the emotions.
        parts : dict of str to Tensor
            "loss", "emotion_loss", "speaker_loss", "speaker_accuracy", "lambda".
        """
        if not network.training:
            return super().forward(network, inputs, targets, progress)
        assert isinstance(network, DomainAdversarialNetwork)
        weight = self.lambda_at(progress)
        printed = self.form == "negated_ce"
        emotions, speakers = network.both(**inputs, reversal=None if printed else weight)
        speaker = targets["speaker"]
        accuracy = (speakers.argmax(1) == speaker)[speaker != NO_SPEAKER].float()
        if printed:
            emotion_loss = self.loss(emotions.softmax(1), targets)
            speaker_loss = self._speaker_loss(speakers.softmax(1), speaker)
            loss = emotion_loss - weight * speaker_loss
        else:
            emotion_loss = self.loss(emotions, targets)
            speaker_loss = self._speaker_loss(speakers, speaker)
            loss = emotion_loss + speaker_loss
        return emotions, {
            "loss": loss,
            "emotion_loss": emotion_loss.detach(),
            "speaker_loss": speaker_loss.detach(),
            "speaker_accuracy": accuracy.mean() if len(accuracy) else accuracy.new_tensor(0.0),
            "lambda": torch.tensor(weight),
        }

    def _speaker_loss(self, logits: Tensor, speaker: Tensor) -> Tensor:
        """Return the mean over the utterances that have a speaker."""
        losses = functional.cross_entropy(
            logits, speaker, ignore_index=NO_SPEAKER, reduction="none"
        )
        return losses.sum() / (speaker != NO_SPEAKER).sum().clamp(min=1)
