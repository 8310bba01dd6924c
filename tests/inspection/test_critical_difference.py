import numpy as np
import pandas as pd
import pytest

from serkit.inspection import CriticalDifferenceDisplay

pytestmark = pytest.mark.usefixtures("pyplot")

RANKS = {"GLAM": 5.1, "SVM": 1.6, "CRNN": 2.2, "chance": 5.9, "ACRNN": 2.9, "DAT": 3.3}


def test_bars_join_what_differs_by_less_than_the_critical_difference():
    display = CriticalDifferenceDisplay.from_ranks(RANKS, 1.2)
    assert display.groups_ == [("SVM", "CRNN"), ("CRNN", "ACRNN", "DAT"), ("GLAM", "chance")]
    ends = [bar.get_xdata() for bar in display.bars_]
    np.testing.assert_allclose(ends, [[1.57, 2.23], [2.17, 3.33], [5.07, 5.93]])
    heights = [bar.get_ydata()[0] for bar in display.bars_]
    assert heights == sorted(set(heights), reverse=True)


def test_a_difference_as_large_as_the_critical_one_counts():
    assert CriticalDifferenceDisplay.from_ranks({"a": 1.0, "b": 2.0}, 1.0).groups_ == []
    assert CriticalDifferenceDisplay.from_ranks({"a": 1.0, "b": 2.0}, 1.1).groups_ == [("a", "b")]


def test_the_better_half_is_named_at_the_right_and_no_two_names_meet():
    display = CriticalDifferenceDisplay.from_ranks(RANKS, 1.2, p_value=0.0004, name="ranks")
    assert list(display.labels_) == ["SVM", "CRNN", "ACRNN", "DAT", "GLAM", "chance"]
    right = [display.labels_[name] for name in ("SVM", "CRNN", "ACRNN")]
    assert {text.get_ha() for text in right} == {"left"}
    left, high = display.ax_.get_xlim()
    assert left > 6 > 1 > high  # the best is at the right
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.labels_.values()]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])
    texts = [text.get_text() for text in display.ax_.texts]
    assert "CD = 1.20   Friedman p < 0.001" in texts
    assert "SVM (1.60)" in texts
    assert display.ax_.get_title() == "ranks"


def test_the_axes_given_are_used(pyplot):
    _, ax = pyplot.subplots()
    display = CriticalDifferenceDisplay.from_ranks(pd.Series(RANKS), 1.2, ax=ax, color="#0072B2")
    assert display.ax_ is ax
    assert display.bars_[0].get_color() == "#0072B2"
    assert display.plot().ax_ is not ax


@pytest.mark.parametrize(
    ("ranks", "difference", "message"),
    [
        ({"a": 1.0}, 1, "two or more"),
        ({"a": 0.5, "b": 2.0}, 1, r"from 1 to n; these are \[0.5, 2.0\]"),
        ({"a": 1.0, "b": np.nan}, 1, "from 1 to n"),
        ({"a": 1.0, "b": 2.0}, 0, "critical difference is above 0, not 0"),
    ],
)
def test_what_are_no_ranks_is_refused(ranks, difference, message):
    with pytest.raises(ValueError, match=message):
        CriticalDifferenceDisplay.from_ranks(ranks, difference)


def test_scores_are_ranked():
    scores = pd.DataFrame(
        {"worst": np.arange(10) / 20, "best": np.arange(10) / 20 + 0.2, "chance": 0.01}
    )
    display = CriticalDifferenceDisplay.from_scores(scores)
    assert next(iter(display.labels_)) == "best"
    assert display.average_ranks["best"] == pytest.approx(1)
    assert display.critical_difference > 0
