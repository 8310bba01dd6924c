"""scikit-learn's checks over settings beyond the defaults."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from serkit.preprocessing import (
    AudioLoader,
    HighPassFilter,
    PadOrTruncate,
    PreEmphasis,
    Resampler,
    SilenceTrimmer,
    SpeakerStandardizer,
    WienerFilter,
)

VARIANTS = [
    AudioLoader(dtype="float64"),
    HighPassFilter(zero_phase=False),
    PadOrTruncate(length=5, side="both"),
    PreEmphasis(initial="repeat"),
    Resampler(target_sampling_rate=8000),
    SilenceTrimmer(frame_length=64, hop_length=16, ref=0.1),
    SpeakerStandardizer(unseen="global", with_mean=False),
    WienerFilter(noise=0.01),
]


@pytest.mark.parametrize("estimator", VARIANTS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.filterwarnings("ignore")
def test_no_check_fails(estimator):
    results = check_estimator(estimator, on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= 40
