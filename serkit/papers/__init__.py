"""What papers have done, ready to be used and to be done again."""

from serkit.papers._front_ends import make_front_end
from serkit.papers._leow2021 import leow2021
from serkit.papers._paper import Paper, Reproduction

__all__ = ["Paper", "Reproduction", "leow2021", "make_front_end"]
