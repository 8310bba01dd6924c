"""What a search for leaks has found."""

from dataclasses import dataclass, field

__all__ = ["Leak", "LeakageError", "LeakageReport"]

_SENTENCES = {
    "speakers": "{what} in training and test",
    "fit": "what {step} has learnt ({what}) depends on {depends_on} of the test part",
    "output": "what {step} says of a test utterance depends on {depends_on} of the test part",
    "cache": (
        "what {step} says of test utterances stays as it was when they are others: it is "
        "remembered by something else than their content, and so is what other folds have fitted"
    ),
    "frozen": "{what}",
}


class LeakageError(ValueError):
    """Something that is fitted, or what it says, depends on what it is tested on."""


@dataclass(frozen=True)
class Leak:
    """One way in which an evaluation sees what it is tested on.

    Parameters
    ----------
    kind : {"speakers", "fit", "output", "cache", "frozen"}
        A speaker is in training and test; what is fitted depends on the test
        part; what is said of a test utterance depends on others, or on a label;
        what is said of other utterances is the same; a frozen part was fitted on
        test speakers before.
    fold : int or None
        Number of the fold; ``None`` if it is not of a fold.
    step : str
        The first part, in the order of the steps, that shows it: names joined
        by two underscores.
    what : str
        What shows it: attributes, speakers, or the words of a warning.
    depends_on : tuple of str
        Of "utterances" and "labels", those that make the difference.

    Examples
    --------
    >>> from serkit.evaluation import Leak
    >>> print(Leak("fit", 3, "standardscaler", "mean_", ("utterances",)))
    fold 3: what standardscaler has learnt (mean_) depends on utterances of the test part
    """

    kind: str
    fold: int | None
    step: str = ""
    what: str = ""
    depends_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        sentence = _SENTENCES[self.kind].format(
            step=self.step or "the evaluation",
            what=self.what,
            depends_on=" and ".join(self.depends_on) or "others",
        )
        return sentence if self.fold is None else f"fold {self.fold}: {sentence}"


@dataclass(frozen=True)
class LeakageReport:
    """What :func:`check_leakage` has found.

    Parameters
    ----------
    leaks : tuple of Leak
        All ways in which the test part is seen.
    transductive : tuple of str
        Steps that use other utterances of the test speakers, and say so. That is
        allowed, and has to be named beside every score.
    folds : tuple of int
        The folds that were run.
    crossing : bool
        Whether something is tuned with a speaker on both sides of an inner split,
        which concerns the tuning, not the test.

    Examples
    --------
    See :func:`check_leakage`.
    """

    leaks: tuple[Leak, ...] = ()
    transductive: tuple[str, ...] = ()
    folds: tuple[int, ...] = field(default=())
    crossing: bool = False

    @property
    def ok(self) -> bool:
        """Whether there is no leak."""
        return not self.leaks

    def raise_for_leaks(self) -> None:
        """Raise if there is a leak.

        Raises
        ------
        LeakageError
            With the text of the report.
        """
        if self.leaks:
            raise LeakageError(str(self))

    def __str__(self) -> str:
        folds = ", ".join(map(str, self.folds))
        n_leaks = len(self.leaks)
        found = "no leak" if self.ok else "1 leak" if n_leaks == 1 else f"{n_leaks} leaks"
        lines = [f"{found} in fold{'s' * (len(self.folds) > 1)} {folds}"]
        lines += [f"  {leak}" for leak in self.leaks]
        if self.transductive:
            lines.append(
                f"transductive: {', '.join(self.transductive)}: other utterances of the test "
                "speakers are used, without their labels"
            )
        if self.crossing:
            lines.append("tuned across speakers: inner splits have a speaker on both sides")
        return "\n".join(lines)
