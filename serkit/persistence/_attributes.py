"""The attributes that a file may set on an estimator."""

from typing import Any

from serkit.persistence._errors import ModelFileError

__all__ = ["check_attribute"]


def check_attribute(estimator: Any, name: str, made_by_constructor: set[str]) -> None:
    """Refuse what is no result of fitting: methods, parameters, special names."""
    cls = type(estimator)
    is_result = (
        name.isidentifier()
        and not name.startswith("__")
        and (name.endswith("_") or name.startswith("_") or name in made_by_constructor)
        and not hasattr(cls, name)
        and name not in cls._get_param_names()
        and name not in ("net_", "network_")
    ) or (name == "network_" and not hasattr(cls, "_make_network"))
    if not is_result:
        raise ModelFileError(f"{name[:60]} is no result of fitting {cls.__name__}")
