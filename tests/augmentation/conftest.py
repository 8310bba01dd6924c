"""Speech-like waveforms, noises, and files of both."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

RATE = 16000


@pytest.fixture(scope="session")
def snr_of():
    """Return a function that measures the ratio of speech to what was added to it, in dB."""

    def measure(clean, mixture):
        clean, mixture = np.asarray(clean, dtype=float), np.asarray(mixture, dtype=float)
        added = mixture - clean
        return 10 * np.log10(np.mean(clean**2) / np.mean(added**2))

    return measure


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Eight utterances and three noises, in memory and in files."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("sounds")
    waveforms = [(0.05 * rng.normal(size=2400 + 160 * row)).astype(np.float32) for row in range(8)]
    noises = [(0.1 * rng.normal(size=size)).astype(np.float32) for size in (700, 5000, 9000)]
    paths = [str(folder / f"speech{row}.wav") for row in range(8)]
    noise_paths = [str(folder / f"noise{row}.wav") for row in range(3)]
    for path, samples in zip([*paths, *noise_paths], [*waveforms, *noises], strict=True):
        soundfile.write(path, samples, RATE, subtype="FLOAT")
    y = np.tile(["anger", "calm"], 4)
    speakers = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), 2)
    return SimpleNamespace(
        waveforms=waveforms,
        noises=noises,
        paths=paths,
        noise_paths=noise_paths,
        y=y,
        speakers=speakers,
        folder=folder,
    )
