import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.feature_extraction import FrameScaler
from serkit.inspection import module_contributions, module_probe
from serkit.metrics import uar_score
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError
from serkit.over_sampling import LeakageWarning

PROBE = make_pipeline(StandardScaler(), LogisticRegression())
PAPER = {"Raw": "input", "CNN": "context", "BLSTM": "recurrence", "MLP": "output"}

#: Table 5 of Huang and Narayanan (2017).
TABLE_5 = {
    "T-CLDNN (MFCCs)": (23.75, 52.50, 88.75, 88.75),
    "FST-CLDNN (MFCCs)": (23.75, 56.25, 88.75, 92.50),
    "T-CLDNN (log-Mels)": (27.92, 59.17, 93.33, 93.33),
    "S-CLDNN (log-Mels)": (27.92, 45.83, 88.33, 91.67),
    "ST-CLDNN (log-Mels)": (27.92, 55.83, 89.17, 93.75),
    "FST-CLDNN (log-Mels)": (27.92, 54.17, 89.17, 94.58),
}


@pytest.fixture
def parts(speech):
    X, y, speakers = speech
    known = np.isin(speakers, ["a", "b"])
    return {
        "X": X[known],
        "y": y[known],
        "speakers": speakers[known],
        "X_test": X[~known],
        "y_test": y[~known],
    }


def test_a_probe_learns_on_training_speakers_and_is_tested_on_others(parts, cldnn):
    table = module_probe(cldnn, **parts, stages=PAPER, probe=PROBE)
    assert table["stage"].tolist() == list(PAPER)
    # Spliced input; filters by bins by frames that are left of a context; both directions; classes.
    assert table["n_values"].tolist() == [12 * 4, 3 * 1 * 4, 2 * 4, 2]
    assert (table["n_test"] == 24).all()
    probe = clone(PROBE).fit(cldnn.predict_proba(parts["X"]), parts["y"])
    y_pred = probe.predict(cldnn.predict_proba(parts["X_test"]))
    output = table.set_index("stage").loc["MLP"]
    assert output["UAR"] == uar_score(parts["y_test"], y_pred)
    recalls = [np.mean(y_pred[parts["y_test"] == e] == e) for e in ("anger", "calm")]
    assert output[["recall[anger]", "recall[calm]"]].tolist() == recalls
    assert output["UAR"] == pytest.approx(np.mean(recalls))


def test_all_parts_are_probed_by_default_and_the_network_stays(parts, cldnn):
    before = cldnn.predict_proba(parts["X"])
    table = module_probe(cldnn, **parts, probe=PROBE)
    assert table["stage"].tolist() == ["input", *cldnn.stages_[:-1], "output"]
    assert table["fold"].tolist() == [0] * 7
    np.testing.assert_array_equal(cldnn.predict_proba(parts["X"]), before)


def test_in_cross_validation_the_network_is_fitted_in_every_fold(speech, cldnn):
    X, y, speakers = speech
    network = clone(cldnn).set_params(max_epochs=2)
    pipe = make_pipeline(FrameScaler(), network)
    options = {"stages": "recurrence", "probe": PROBE, "speakers": speakers}
    cv = LeaveSpeakersOut(2)
    table = module_probe(pipe, X, y, **options, cv=cv)
    assert table["fold"].tolist() == [0, 1]
    train, test = next(cv.split(X, y, speakers))
    fitted = clone(pipe).fit(X[train], y[train], **{"cldnnclassifier__speakers": speakers[train]})
    alone = module_probe(
        fitted, X[train], y[train], X_test=X[test], y_test=y[test], **options | {"speakers": None}
    )
    assert table.loc[0, "UAR"] == alone.loc[0, "UAR"]


def test_several_networks_have_names(parts, cldnn):
    table = module_probe({"one": cldnn, "other": cldnn}, **parts, stages="output", probe=PROBE)
    assert table["network"].tolist() == ["one", "other"]
    assert table.loc[0, "UAR"] == table.loc[1, "UAR"]


def test_the_probe_of_the_paper_is_tuned_on_held_out_speakers(parts, cldnn, monkeypatch):
    module = "serkit.inspection._module_probe"
    grid = [{"kernel": ["linear"], "C": [1e-5, 1.0]}]
    monkeypatch.setattr(f"{module}._GRID", grid)
    table = module_probe(cldnn, **parts, stages="output")
    assert table["UAR"].between(0.5, 1).all()
    with pytest.raises(ValueError, match="held out: pass speakers, or a probe"):
        module_probe(cldnn, **parts | {"speakers": None})


def test_the_grid_is_that_of_the_paper():
    from serkit.inspection._module_probe import _GRID

    sizes = {
        grid["kernel"][0]: np.prod([len(values) for values in grid.values()]) for grid in _GRID
    }
    assert sizes == {"linear": 8, "rbf": 48, "poly": 96}
    assert [_GRID[0]["C"][0], _GRID[0]["C"][-1]] == pytest.approx([1e-5, 100])
    assert _GRID[1]["gamma"][0] == "scale"


def test_utterances_that_the_network_knows_are_warned_of(speech, parts, cldnn):
    X, y, _ = speech
    known = {"X_test": X, "y_test": y}
    with pytest.warns(LeakageWarning, match="24 of the 48 utterances that module_probe tests on"):
        module_probe(cldnn, **parts | known, stages="output", probe=PROBE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module_probe(cldnn, **parts, stages="output", probe=PROBE)


def test_what_cannot_be_probed_is_refused(speech, parts, cldnn):
    X, y, speakers = speech
    with pytest.raises(ValueError, match="give X_test and y_test, or cv with speakers"):
        module_probe(cldnn, X, y, probe=PROBE)
    with pytest.raises(ValueError, match="give X_test and y_test, or cv"):
        module_probe(cldnn, **parts, cv=LeaveSpeakersOut(), probe=PROBE)
    with pytest.raises(ValueError, match="pass speakers"):
        module_probe(cldnn, X, y, cv=LeaveSpeakersOut(), probe=PROBE)
    crossing = [(np.arange(40), np.arange(40, 48))]
    with pytest.raises(SpeakerLeakageError):
        module_probe(cldnn, X, y, cv=crossing, speakers=speakers, probe=PROBE)


def test_contributions_are_those_that_the_paper_prints():
    table = pd.DataFrame(
        [
            {"network": network, "fold": 0, "stage": stage, "UAR": score}
            for network, scores in TABLE_5.items()
            for stage, score in zip(PAPER, scores, strict=True)
        ]
    )
    found = module_contributions(table)
    assert found.index.tolist() == ["CNN", "BLSTM", "MLP"]
    assert found["mean"].tolist() == pytest.approx([27.43, 35.63, 2.85], abs=0.01)
    assert found["std"].tolist() == pytest.approx([5.18, 3.61, 2.32], abs=0.01)
    assert found["n"].tolist() == [6, 6, 6]


def test_contributions_need_two_stages():
    table = pd.DataFrame({"stage": ["output"], "fold": [0], "UAR": [0.5]})
    with pytest.raises(ValueError, match="one stage, 'output'"):
        module_contributions(table)
    with pytest.raises(ValueError, match=r"no columns \['WA'\]"):
        module_contributions(table, metric="WA")
