"""The attributes that a file may set on an estimator."""

from typing import Any

from serkit.persistence._errors import ModelFileError

__all__ = ["check_attribute"]


def check_attribute(estimator: Any, name: str, made_by_constructor: set[str]) -> None:
    """Refuse what is no result of fitting: methods, parameters, special names, networks."""
    cls = type(estimator)
    is_special = not name.isidentifier() or name.startswith("__")
    is_result = name.endswith("_") or name.startswith("_") or name in made_by_constructor
    is_taken = hasattr(cls, name) or name in cls._get_param_names()
    # Networks are made by the estimator, so that weights are all that the file can say.
    is_network = name in ("net_", "network_") and hasattr(cls, "_make_network")
    if is_special or not is_result or is_taken or is_network:
        raise ModelFileError(f"{name[:60]} is no result of fitting {cls.__name__}")
