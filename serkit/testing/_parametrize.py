"""serkit's checks as a pytest parametrization."""

from collections.abc import Callable, Iterable
from typing import Any

from serkit.testing._checks import yield_checks
from serkit.utils import import_optional

__all__ = ["parametrize_with_checks"]


def parametrize_with_checks(estimators: Iterable[Any]) -> Callable:
    """Decorate a test so that it runs every check of serkit on every estimator.

    The counterpart of
    :func:`sklearn.utils.estimator_checks.parametrize_with_checks` for what
    scikit-learn cannot know: ragged containers, rows named in errors, speakers
    that stay aligned behind samplers.

    Parameters
    ----------
    estimators : iterable of estimator
        Unfitted instances.

    Returns
    -------
    decorator : callable
        ``pytest.mark.parametrize`` of the arguments ``estimator`` and ``check``.

    Examples
    --------
    >>> from serkit.preprocessing import WienerFilter
    >>> from serkit.testing import parametrize_with_checks
    >>> @parametrize_with_checks([WienerFilter()])
    ... def test_estimators_keep_their_promises(estimator, check):
    ...     check(estimator)
    """
    pytest = import_optional("pytest", extra="test", caller="parametrize_with_checks")
    params = []
    for estimator in estimators:
        name = type(estimator).__name__
        for check in yield_checks(estimator):
            test_id = f"{estimator!r}-{check.__name__}".replace("\n", " ")
            params.append(pytest.param(estimator, _NamedCheck(check, name), id=test_id))
    return pytest.mark.parametrize(("estimator", "check"), params)


class _NamedCheck:
    """A check that knows the name it passes on."""

    def __init__(self, check: Callable[[str, Any], None], name: str):
        self.check, self.name = check, name

    def __call__(self, estimator: Any) -> None:
        self.check(self.name, estimator)
