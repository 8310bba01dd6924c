"""Corpora of emotional speech: on disk, downloaded, or made up."""

from serkit.datasets._corpus import Corpus
from serkit.datasets._emodb import load_emodb
from serkit.datasets._enterface import load_enterface
from serkit.datasets._fetch import fetch_emodb, fetch_ravdess
from serkit.datasets._iemocap import load_iemocap
from serkit.datasets._load import load_corpus
from serkit.datasets._manifest import load_manifest
from serkit.datasets._msp_improv import load_msp_improv
from serkit.datasets._musan import load_musan
from serkit.datasets._nemo import load_nemo
from serkit.datasets._omg_empathy import load_omg_empathy, read_valence
from serkit.datasets._ravdess import load_ravdess
from serkit.datasets._synthetic import make_emotional_speech
from serkit.datasets._tess import load_tess

__all__ = [
    "Corpus",
    "fetch_emodb",
    "fetch_ravdess",
    "load_corpus",
    "load_emodb",
    "load_enterface",
    "load_iemocap",
    "load_manifest",
    "load_msp_improv",
    "load_musan",
    "load_nemo",
    "load_omg_empathy",
    "load_ravdess",
    "load_tess",
    "make_emotional_speech",
    "read_valence",
]
