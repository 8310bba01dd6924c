"""The packages that results rest on."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["package_versions"]

_ALWAYS = ("numpy", "scipy", "scikit-learn")
#: What the components of serkit compute with, although their parameters do not name it.
_SIGNAL = ("torch", "skorch", "opensmile", "soundfile", "soxr")


def package_versions(*, signal: bool = True) -> dict[str, str]:
    """Return the versions of the packages that results rest on, of those that are installed.

    Parameters
    ----------
    signal : bool, default=True
        Those that serkit itself computes with, too.

    Returns
    -------
    versions : dict of str to str

    Examples
    --------
    >>> from serkit.utils import package_versions
    >>> list(package_versions(signal=False))
    ['numpy', 'scipy', 'scikit-learn']
    """
    found = {}
    for package in _ALWAYS + _SIGNAL * signal:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
