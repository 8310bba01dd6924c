import pandas as pd
import pytest

from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, baseline_pipelines, compare
from serkit.model_selection import LeaveSpeakersOut, load_protocol


def test_without_opensmile_the_rest_is_offered(monkeypatch):
    everything = set(baseline_pipelines())
    monkeypatch.setattr("serkit.evaluation._baselines.find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="opensmile is not installed"):
        rest = set(baseline_pipelines())
    assert everything - rest <= {"eGeMAPSv02 + SVM", "ComParE_2016 + SVM"}
    assert rest == {
        "MFCC statistics + SVM",
        "MFCC statistics + MLP",
        "MFCC + CRNN",
        "MFCC + DAT",
    }


def test_tuned_pipelines_vary_parameters_that_they_have():
    cv = load_protocol("leow2021-emodb").inner()
    pipelines = baseline_pipelines(validation=cv)
    searches = [found for found in pipelines.values() if isinstance(found, HoldoutSearchCV)]
    assert len(searches) == len(pipelines) - 2
    for search in searches:
        assert set(search.param_grid) <= set(search.estimator.get_params())


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(4, ["anger", "sadness"], n_sentences=2, random_state=0)


def make_small_networks(**options):
    small = {"n_filters": 4, "rnn_hidden_size": 4, "hidden_layer_sizes": (8,), "max_epochs": 3}
    return {
        name: pipeline.set_params(
            **{f"{pipeline.steps[-1][0]}__{key}": value for key, value in small.items()}
        )
        for name, pipeline in baseline_pipelines(**options).items()
        if name in ("MFCC + CRNN", "MFCC + DAT")
    }


def validated(pipeline, corpus):
    """Fit a network and return the speakers on whom it chose its epoch."""
    seen = []
    last = pipeline.steps[-1][0]
    splitter = pipeline[-1].validation

    class Recorder:
        def split(self, X, y, groups):
            for train, valid in splitter.split(X, y, groups):
                seen.append(set(groups[valid]))
                yield train, valid

    pipeline.set_params(**{f"{last}__validation": Recorder()})
    pipeline.fit(corpus.audio, corpus.y, **{f"{last}__speakers": corpus.speakers})
    return seen


def test_networks_choose_their_epoch_on_the_validation_speakers(corpus):
    cv = LeaveSpeakersOut(groups=[("01",), ("02",), ("03",), ("04",)]).inner()
    train = corpus[corpus.table.speaker != "03"]
    for pipeline in make_small_networks(validation=cv).values():
        assert validated(pipeline, train) == [{"02"}]


def test_compare_gives_networks_their_speakers_in_every_process(corpus):
    # Without its speakers DAT raises.
    fold = next(LeaveSpeakersOut(1).split(corpus.audio, groups=corpus.speakers))
    results = [
        compare(corpus, make_small_networks(), cv=[fold], n_jobs=n_jobs, verbose=0)
        for n_jobs in (1, 2)
    ]
    first, second = (result.predictions for result in results)
    assert len(first) == 2 * len(fold[1])
    pd.testing.assert_frame_equal(first, second)
