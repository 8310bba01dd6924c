"""Text that several docstrings share."""

import inspect
import re
from collections.abc import Mapping

__all__ = ["fill_docstring"]


def fill_docstring(cls: type, texts: Mapping[str, str]) -> type:
    """Put shared text in the place of its markers in the docstring of a class.

    Parameters
    ----------
    cls : type
        A class whose docstring has lines such as ``%(training)s``.
    texts : dict of str to str
        What stands for the markers, by name. Defaults of parameters are
        rewritten to those that the class has.

    Returns
    -------
    cls : type
    """
    if cls.__doc__ is not None:
        doc = inspect.cleandoc(cls.__doc__)
        for name, text in texts.items():
            doc = doc.replace(f"%({name})s", _with_defaults(cls, text))
        cls.__doc__ = doc
    return cls


def _with_defaults(cls: type, text: str) -> str:
    """Return descriptions of parameters with the defaults that they have in a class."""
    parameters = inspect.signature(cls).parameters

    def rewrite(line: re.Match) -> str:
        name, kind, default = line.groups()
        if name in parameters:
            value = parameters[name].default
            default = f'"{value}"' if isinstance(value, str) else repr(value)
            if value == "auto" and '"auto"' not in kind:
                kind = f'"auto", {kind}'
        return f"{name} : {kind}, default={default}"

    return re.sub(r"^(\w+) : (.*), default=(.*)$", rewrite, text, flags=re.MULTILINE)
