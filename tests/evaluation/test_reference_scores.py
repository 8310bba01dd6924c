"""Classical baselines reach their known scores on real corpora, under the stated protocols."""

import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_emodb, load_nemo, load_ravdess
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import LogMelSpectrogram, OpenSmileFunctionals, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.preprocessing import AudioLoader

pytestmark = pytest.mark.corpus

TUNED_C = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}


@pytest.fixture(scope="module")
def results_dir(tmp_path_factory):
    """One folder, so that features are computed once for all protocols."""
    return tmp_path_factory.mktemp("results")


def svm(feature_set: str, C: float = 0.1):
    return make_pipeline(
        AudioLoader(),
        OpenSmileFunctionals(feature_set),
        StandardScaler(),
        SVC(kernel="linear", C=C),
    )


def leow_scores(corpus, protocol: str, feature_set: str, results_dir):
    """Return WA and UAR in percent, mean over folds; C is tuned on validation speakers."""
    cv = load_protocol(protocol)
    search = HoldoutSearchCV(svm(feature_set), TUNED_C, cv=cv.inner())
    result = compare(corpus, {"SVM": search}, cv=cv, results_dir=results_dir, n_jobs=1, verbose=0)
    return 100 * result.folds[["WA", "UAR"]].mean()


def pooled_uar(corpus, pipeline, results_dir, **options):
    result = compare(
        corpus, {"SVM": pipeline}, results_dir=results_dir, n_jobs=1, verbose=0, **options
    )
    return 100 * result.table().loc["SVM", "UAR"]


def test_emodb_compare_2016(corpora, results_dir):
    emodb = load_emodb(corpora / "emodb")
    WA, UAR = leow_scores(emodb, "leow2021-emodb", "ComParE_2016", results_dir)
    assert WA == pytest.approx(79.4, abs=1.5)
    assert UAR == pytest.approx(74.8, abs=1.5)
    assert pooled_uar(emodb, svm("ComParE_2016"), results_dir) == pytest.approx(78.6, abs=1)


@pytest.mark.slow
def test_emodb_egemaps(corpora, results_dir):
    emodb = load_emodb(corpora / "emodb")
    WA, UAR = leow_scores(emodb, "leow2021-emodb", "eGeMAPSv02", results_dir)
    assert WA == pytest.approx(65.2, abs=2)
    assert UAR == pytest.approx(62.9, abs=2)
    assert pooled_uar(emodb, svm("eGeMAPSv02"), results_dir) == pytest.approx(64.0, abs=1)


@pytest.mark.slow
def test_ravdess_compare_2016(corpora, results_dir):
    ravdess = load_ravdess(corpora / "ravdess")
    WA, UAR = leow_scores(ravdess, "leow2021-ravdess", "ComParE_2016", results_dir)
    assert WA == pytest.approx(58.2, abs=2)
    assert UAR == pytest.approx(57.5, abs=2)


def test_random_folds_flatter_on_nemo(corpora, results_dir):
    """The same pipeline, with speakers in both parts and without."""
    nemo = load_nemo(corpora / "nemo")
    pipeline = make_pipeline(
        AudioLoader(),
        LogMelSpectrogram(n_mels=40, n_fft=512, hop_length=160),
        TemporalPooling(("mean", "std")),
        StandardScaler(),
        SVC(kernel="linear", C=0.1),
    )
    random_folds = StratifiedKFold(5, shuffle=True, random_state=0)
    flattering = pooled_uar(
        nemo, pipeline, results_dir, cv=random_folds, allow_speaker_overlap=True
    )
    honest = pooled_uar(nemo, pipeline, results_dir, cv=LeaveSpeakersOut(1))
    assert flattering > honest + 25
    assert 15 < honest < 40
