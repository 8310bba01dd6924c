"""What papers have done, ready to be used."""

from serkit.papers._guizzo2023 import make_front_end

__all__ = ["make_front_end"]
