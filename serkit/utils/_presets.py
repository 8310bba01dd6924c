"""Parameters whose value a preset chooses."""

from typing import Any, ClassVar

__all__ = ["PresetMixin"]


class PresetMixin:
    """Mixin of estimators with a parameter ``preset`` that says what "auto" stands for."""

    #: By the name of a preset, what the parameters that are "auto" stand for.
    _presets: ClassVar[dict[str, dict[str, Any]]] = {}

    def _setting(self, name: str) -> Any:
        """Return a parameter, or what the preset says of one that is "auto"."""
        value = getattr(self, name)
        if isinstance(value, str) and value == "auto":
            return self._presets[self.preset][name]  # type: ignore[attr-defined]
        return value
