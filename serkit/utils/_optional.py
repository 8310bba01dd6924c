"""Import of optional packages, with an error that says how to get them."""

import importlib
from types import ModuleType

__all__ = ["import_optional"]


def import_optional(name: str, *, extra: str, caller: str) -> ModuleType:
    """Import a package that only some features need.

    Parameters
    ----------
    name : str
        Name of the module to import.
    extra : str
        The extra of serkit that installs it.
    caller : str
        What needs it; the error message begins with this name.

    Returns
    -------
    module : module
        The imported module.

    Raises
    ------
    ImportError
        If the package is missing or cannot be loaded.

    Examples
    --------
    >>> from serkit.utils import import_optional
    >>> import_optional("json", extra="all", caller="Example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        # An installed package whose binary part does not match raises OSError.
        raise ImportError(
            f"{caller} needs the package {name!r}, which could not be imported ({error}). "
            f'Install it with: pip install "serkit[{extra}]"'
        ) from error
