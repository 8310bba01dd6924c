from itertools import product

import numpy as np
import pandas as pd
import pytest

from serkit.inspection import LowResourceDisplay

pytestmark = pytest.mark.usefixtures("pyplot")

SETTINGS = [("real only", 0), *product(["M1", "M2"], [600, 2000])]


@pytest.fixture
def table():
    """Two repeats of every setting, 0.1 apart, not in order of fraction."""
    rows = [
        {
            "system": system,
            "n_synthetic": n_synthetic,
            "fraction": fraction,
            "repeat": repeat,
            "speaker": speaker,
            "UAR": 0.4 + 0.1 * place + 0.05 * fraction + 0.1 * repeat + (speaker != "all"),
            "WA": 0.2,
        }
        for (place, (system, n_synthetic)), fraction, repeat, speaker in product(
            enumerate(SETTINGS), [1.0, 0.1, 0.25], [0, 1], ["all", "03"]
        )
    ]
    return pd.DataFrame(rows)


def test_a_line_is_the_mean_over_repeats_and_its_band_their_deviation(table):
    display = LowResourceDisplay.from_table(table, name="transfer")
    assert list(display.lines_) == [
        "real only",
        "M1, 600 synthetic",
        "M1, 2000 synthetic",
        "M2, 600 synthetic",
        "M2, 2000 synthetic",
    ]
    line = display.lines_["M1, 600 synthetic"]
    np.testing.assert_allclose(line.get_xdata(), [10, 25, 100])
    mean = 0.4 + 0.1 + 0.05 * np.array([0.1, 0.25, 1.0]) + 0.05
    np.testing.assert_allclose(line.get_ydata(), mean)
    band = display.bands_["M1, 600 synthetic"].get_paths()[0].vertices
    deviation = 0.1 / np.sqrt(2)
    at_ten = band[np.isclose(band[:, 0], 10), 1]
    assert [at_ten.min(), at_ten.max()] == pytest.approx([mean[0] - deviation, mean[0] + deviation])
    assert display.ax_.get_ylabel() == "UAR"
    assert display.ax_.get_title() == "transfer"


def test_colours_tell_systems_and_markers_numbers(table):
    lines = LowResourceDisplay.from_table(table).lines_
    baseline = lines.pop("real only")
    assert (baseline.get_linestyle(), baseline.get_color()) == ("--", "#666666")
    colors = [line.get_color() for line in lines.values()]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    markers = [line.get_marker() for line in lines.values()]
    assert markers[0] == markers[2] != markers[1] == markers[3]


def test_colours_tell_numbers_where_there_is_one_system(table):
    lines = LowResourceDisplay.from_table(table, systems="M2").lines_
    assert list(lines) == ["real only", "M2, 600 synthetic", "M2, 2000 synthetic"]
    assert len({line.get_color() for line in lines.values()}) == 3


def test_some_numbers_are_drawn(table):
    lines = LowResourceDisplay.from_table(table, n_synthetic=2000, systems=["M1", "M2"]).lines_
    assert list(lines) == ["real only", "M1, 2000 synthetic", "M2, 2000 synthetic"]
    assert list(LowResourceDisplay.from_table(table, n_synthetic=[0]).lines_) == ["real only"]


def test_another_score_and_chance(table):
    display = LowResourceDisplay.from_table(table, metric="WA", chance=0.25)
    assert display.lines_["real only"].get_ydata() == pytest.approx([0.2] * 3)
    dotted = [line.get_ydata() for line in display.ax_.lines if line.get_linestyle() == ":"]
    assert dotted == [[0.25, 0.25]]
    assert display.ax_.get_ylabel() == "WA"


def test_a_single_repeat_has_a_line_without_width(table):
    display = LowResourceDisplay.from_table(table[table["repeat"] == 0])
    heights = display.bands_["real only"].get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(0.405)
    assert heights.max() == pytest.approx(0.45)


def test_what_cannot_be_drawn_is_refused(table):
    draw = LowResourceDisplay.from_table
    with pytest.raises(ValueError, match=r"no columns \['repeat', 'F1'\]; it has \['system'"):
        draw(table.drop(columns="repeat"), metric="F1")
    with pytest.raises(ValueError, match=r"no system \['M3'\]; it has \['real only', 'M1', 'M2'\]"):
        draw(table, systems=["M1", "M3"])
    with pytest.raises(ValueError, match=r"no n_synthetic \[6000\]; it has \[0, 600, 2000\]"):
        draw(table, n_synthetic=6000)
    with pytest.raises(ValueError, match='no rows of the speaker "all"'):
        draw(table[table["speaker"] == "03"])
    with pytest.raises(ValueError, match="several rows of the same repeat"):
        draw(pd.concat([table, table]))


def test_the_axes_given_are_used(pyplot, table):
    _, ax = pyplot.subplots()
    display = LowResourceDisplay.from_table(table, ax=ax, color="black", linewidth=3)
    assert display.ax_ is ax
    assert {line.get_color() for line in display.lines_.values()} == {"black"}
    assert display.plot().ax_ is not ax
