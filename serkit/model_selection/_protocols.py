"""The speakers left out together in published protocols."""

from serkit.model_selection._leave_speakers_out import LeaveSpeakersOut

__all__ = ["load_protocol"]

_PROTOCOLS = {
    "leow2021-emodb": (("11", "16"), ("12", "13"), ("03", "08"), ("10", "14"), ("15", "09")),
    "leow2021-ravdess": (
        *((f"{actor:02d}", f"{actor + 1:02d}") for actor in range(3, 25, 2)),
        ("01", "02"),
    ),
}


def load_protocol(name: str) -> LeaveSpeakersOut:
    """Return the splitter of a published protocol, its folds in the printed order.

    Parameters
    ----------
    name : {"leow2021-emodb", "leow2021-ravdess"}
        Leave-two-speakers-out, one man and one woman, with the two speakers
        before them for validation [1]_: 5 folds on Emo-DB (speakers "03" to
        "16"), 12 folds on RAVDESS (actors "01" to "24").

    Returns
    -------
    cv : LeaveSpeakersOut
        With the printed tuples as `groups`.

    References
    ----------
    .. [1] B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with
       Domain Adversarial Training", Nanyang Technological University, 2021,
       section 3.2.

    Examples
    --------
    >>> from serkit.model_selection import load_protocol
    >>> cv = load_protocol("leow2021-emodb")
    >>> cv.get_n_splits(), cv.groups[0]
    (5, ('11', '16'))
    """
    try:
        groups = _PROTOCOLS[name]
    except KeyError:
        raise ValueError(f"unknown protocol {name!r}; there are {sorted(_PROTOCOLS)}") from None
    return LeaveSpeakersOut(groups=groups)
