"""Corpora of emotional speech: on disk, downloaded, or made up."""

from serkit.datasets._corpus import Corpus
from serkit.datasets._emodb import load_emodb
from serkit.datasets._fetch import fetch_emodb, fetch_ravdess
from serkit.datasets._load import load_corpus
from serkit.datasets._manifest import load_manifest
from serkit.datasets._nemo import load_nemo
from serkit.datasets._ravdess import load_ravdess
from serkit.datasets._synthetic import make_emotional_speech

__all__ = [
    "Corpus",
    "fetch_emodb",
    "fetch_ravdess",
    "load_corpus",
    "load_emodb",
    "load_manifest",
    "load_nemo",
    "load_ravdess",
    "make_emotional_speech",
]
