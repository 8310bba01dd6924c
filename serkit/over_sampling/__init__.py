"""Samplers, which add utterances to a training set."""

from serkit.over_sampling._base import BaseSampler

__all__ = ["BaseSampler"]
