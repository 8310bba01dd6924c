"""What papers have done, ready to be used and to be done again."""

from serkit.papers._front_ends import make_front_end
from serkit.papers._guizzo2023 import guizzo2023
from serkit.papers._huang2017 import huang2017
from serkit.papers._lazarevic2024 import lazarevic2024
from serkit.papers._leow2021 import leow2021
from serkit.papers._paper import Paper
from serkit.papers._reproduction import Reproduction
from serkit.papers._sahu2020 import sahu2020

__all__ = [
    "Paper",
    "Reproduction",
    "guizzo2023",
    "huang2017",
    "lazarevic2024",
    "leow2021",
    "make_front_end",
    "sahu2020",
]
