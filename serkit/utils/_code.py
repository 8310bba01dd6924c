"""What a class or a function is made of."""

import dis
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

__all__ = ["Part", "identify", "own_parts"]

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()


class Part(NamedTuple):
    """A class or function of the user, and what its behaviour depends on beside other code.

    Parameters
    ----------
    named : type or function
        The class or function.
    bound : list
        What belongs to a function itself: code, defaults, values of its closure.
    data : dict of str to object
        What is found by name: globals, attributes of a class.
    """

    named: Any
    bound: list[Any]
    data: dict[str, Any]


def identify(named: Any) -> str:
    """Return the name of a class or function, with the version of its package.

    Parameters
    ----------
    named : type or function
        The class or function.

    Returns
    -------
    identity : str
        Without a version for serkit, the standard library and code of the user.
    """
    name = f"{named.__module__}.{named.__qualname__}"
    package = name.partition(".")[0]
    found = None if package == "serkit" or _is_own(named) else _version(package)
    return name if found is None else f"{name} {found}"


def own_parts(named: Any) -> list[Part]:
    """Collect a class or function of the user, and all code that it refers to.

    Parameters
    ----------
    named : type or function
        The class or function.

    Returns
    -------
    parts : list of Part
        Base classes, and functions and classes found by name, each once; what is
        not the user's stands without content. Empty if `named` itself is not.
    """
    if not _is_own(named):
        return []
    parts: list[Part] = []
    seen, waiting = set(), [named]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if not _is_own(part):
            parts.append(Part(part, [], {}))
            continue
        bound, found = _of_class(part) if inspect.isclass(part) else _of_function(part)
        waiting += [code for value in [*bound, *found.values()] for code in _code_in(value)]
        parts.append(
            Part(
                part,
                [value for value in bound if not _code_in(value)],
                {name: value for name, value in found.items() if not _code_in(value)},
            )
        )
    return parts


def _of_class(kind: type) -> tuple[list[Any], dict[str, Any]]:
    attributes = {
        name: value
        for name, value in sorted(vars(kind).items())
        # What Python notes about a class, such as its first line, is no behaviour.
        if not (name.startswith("__") and name.endswith("__")) or _code_in(value)
    }
    return list(kind.__mro__[1:]), attributes


def _of_function(function: FunctionType) -> tuple[list[Any], dict[str, Any]]:
    bound: list[Any] = [function.__code__, *(function.__defaults__ or ())]
    bound += (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            bound.append(cell.cell_contents)
        except ValueError:  # still empty
            continue
    codes = list(_nested(function.__code__))
    names = {name for code in codes for name in _global_names(code)}
    attributes = {name for code in codes for name in code.co_names}
    return bound, _found_by_name(names, attributes, function.__globals__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval


def _found_by_name(names: set[str], attributes: set[str], scope: dict[str, Any]) -> dict[str, Any]:
    """Look names up among the globals, and attributes in the user's modules among these."""
    found: dict[str, Any] = {}
    modules: list[ModuleType] = []
    scopes = [("", names, scope)]
    for prefix, wanted, scope in scopes:
        for name in sorted(wanted & scope.keys()):
            value = scope[name]
            if not isinstance(value, ModuleType):
                found[prefix + name] = value
            elif not _is_own_module(value.__name__):
                found[prefix + name] = _name_of_module(value)
            elif value not in modules:
                modules.append(value)
                scopes.append((f"{prefix}{name}.", attributes, vars(value)))
    return found


def _name_of_module(module: ModuleType) -> str:
    package = module.__name__.partition(".")[0]
    found = None if package == "serkit" else _version(package)
    return f"{module.__name__} {found}"


def _code_in(value: Any) -> list[Any]:
    """Return the functions and classes that a value consists of, such as those of a property."""
    if isinstance(value, FunctionType | type):
        return [value]
    if isinstance(value, property):
        inner = [value.fget, value.fset, value.fdel]
    elif hasattr(type(value), "__get__") or hasattr(value, "cache_info"):
        inner = [getattr(value, "__wrapped__", None), *getattr(value, "__dict__", {}).values()]
    else:
        return []
    return [code for code in inner if isinstance(code, FunctionType)]


def _is_own(named: Any) -> bool:
    # A decorator of one module may name its function as if it were of another.
    homes = {named.__module__}
    if isinstance(named, FunctionType):
        homes.add(named.__globals__.get("__name__"))
    return any(map(_is_own_module, homes))


def _is_own_module(name: str | None) -> bool:
    """Say whether a module is the user's: neither serkit, nor installed, nor of Python."""
    if name in (None, "__main__"):  # whose file is joblib's in a worker process
        return True
    if name.partition(".")[0] in ("serkit", "builtins"):
        return False
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None:
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        return origin not in ("built-in", "frozen")
    return not _is_installed(file)


@cache
def _is_installed(file: str) -> bool:
    path = Path(file).resolve()
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return bool(installed) or path.is_relative_to(_STANDARD_LIBRARY)


@cache
def _version(package: str) -> str | None:
    try:
        return version(_DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:
        if package in sys.stdlib_module_names:
            return None
        names = packages_distributions().get(package)
        return version(names[0]) if names else None
