"""Whether synthetic rows help, speaker by speaker."""

import pandas as pd

from serkit.evaluation._corrections import holm_correction
from serkit.evaluation._low_resource import ALL_SPEAKERS
from serkit.evaluation._statistics import paired_test

__all__ = ["low_resource_tests"]

#: What a setting of a system is known by, beside its name.
_SETTING = ["generator_fit", "n_synthetic", "fraction"]


def low_resource_tests(table: pd.DataFrame, baseline: str = "real only") -> pd.DataFrame:
    """Test, over the speakers of the target, what each system gains.

    Parameters
    ----------
    table : DataFrame
        Made by :func:`low_resource_curve` with ``speakers_target``, or several
        such tables, concatenated.
    baseline : str, default="real only"
        The system that the others are compared with, at the same fraction and,
        unless it is without synthetic rows, the same number of them. Settings
        that it has not are left out.

    Returns
    -------
    tests : DataFrame
        A row per system, ``generator_fit``, ``n_synthetic`` and ``fraction``:
        ``speakers``, their number; ``UAR difference``, system minus baseline,
        mean over speakers; ``p permutation`` of :func:`paired_test`, and ``p
        permutation (Holm)``, corrected for the number of rows. The scores of a
        speaker are averaged over repeats first.

    Raises
    ------
    ValueError
        If the table has no scores of speakers, or nothing to compare.

    See Also
    --------
    paired_test : The test of one row.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from serkit.evaluation import low_resource_curve, low_resource_tests
    >>> from serkit.over_sampling import GaussianGenerator
    >>> rng = np.random.default_rng(0)
    >>> y, speakers = np.repeat(["anger", "calm"], 60), np.tile(list("abc"), 40)
    >>> X = rng.normal(size=(120, 5)) + (y == "calm")[:, None]
    >>> table = low_resource_curve(
    ...     LogisticRegression(),
    ...     {"Gaussian": GaussianGenerator()},
    ...     X, y, X, y, speakers_target=speakers,
    ...     fractions=(0.1, 1.0), n_synthetic=[200], n_repeats=2,
    ... )  # fmt: skip
    >>> low_resource_tests(table)[["system", "fraction", "speakers", "p permutation (Holm)"]]
         system  fraction  speakers  p permutation (Holm)
    0  Gaussian       0.1         3                   1.0
    1  Gaussian       1.0         3                   1.0
    """
    speakers = table[table["speaker"] != ALL_SPEAKERS]
    if speakers.empty:
        raise ValueError(
            "the table has no scores of speakers; give low_resource_curve speakers_target"
        )
    is_baseline = speakers["system"] == baseline
    shared = _SETTING
    if not speakers["n_synthetic"][is_baseline].any():
        shared = [name for name in _SETTING if name != "n_synthetic"]
    reference = speakers[is_baseline].groupby([*shared, "speaker"])["UAR"].mean()
    others = speakers[~is_baseline].groupby(["system", *_SETTING, "speaker"], sort=False)
    scores = others["UAR"].mean().rename("system UAR").reset_index()
    pairs = scores.join(reference.rename("baseline UAR"), on=[*shared, "speaker"], how="inner")
    if pairs.empty:
        raise ValueError(
            f"there is nothing to compare with {baseline!r}: the table has the systems "
            f"{sorted(speakers['system'].unique())}"
        )
    tests = []
    for values, pair in pairs.groupby(["system", *_SETTING], sort=False):
        test = paired_test(pair["system UAR"], pair["baseline UAR"])
        tests.append(
            {
                **dict(zip(["system", *_SETTING], values, strict=True)),
                "speakers": test.n_speakers,
                "UAR difference": test.difference,
                "p permutation": test.p_permutation,
            }
        )
    found = pd.DataFrame(tests)
    found["p permutation (Holm)"] = holm_correction(found["p permutation"])
    return found
