"""Write the values of torchaudio that the tests of the features compare with.

Run it by hand with any torchaudio that has ``compliance.kaldi``::

    python tests/feature_extraction/reference/make_torchaudio_reference.py

The file ``torchaudio.npz`` beside it holds the signal too.
"""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

RATE = 16000


def import_torchaudio() -> ModuleType:
    """Import torchaudio, without its binary part where that does not load."""
    try:
        import torchaudio
    except OSError:
        for name in [name for name in sys.modules if name.startswith("torchaudio")]:
            del sys.modules[name]
        extension = ModuleType("torchaudio._extension")
        extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
        extension._IS_ALIGN_AVAILABLE = False
        extension.fail_if_no_align = lambda function: function
        extension._check_cuda_version = lambda: None
        sys.modules["torchaudio._extension"] = extension
        import torchaudio
    return torchaudio


def make_signal() -> np.ndarray:
    """Make half a second of a gliding, humming, noisy voice, and a silent tail."""
    rng = np.random.default_rng(0)
    n_samples = RATE // 2
    phase = 2 * np.pi * np.cumsum(np.linspace(110, 190, n_samples)) / RATE
    voice = sum(np.cos(k * phase + k**2) / k for k in range(1, 35))
    signal = 0.1 * voice + 0.01 * rng.standard_normal(n_samples) + 0.02
    signal[-RATE // 8 :] = 0
    return signal.astype(np.float32)


def main() -> None:
    torchaudio = import_torchaudio()
    from torchaudio.compliance import kaldi
    from torchaudio.transforms import MFCC, AmplitudeToDB, MelSpectrogram, Spectrogram

    signal = make_signal()
    x = torch.from_numpy(signal)
    long = {"n_fft": 2048, "hop_length": 512}
    forty = {"num_mel_bins": 40}
    values = {
        "spectrogram": Spectrogram()(x),
        "log_mel_128": AmplitudeToDB()(MelSpectrogram(RATE, **long)(x)),
        "log_mel_64": AmplitudeToDB(top_db=80)(MelSpectrogram(RATE, n_mels=64, f_min=50)(x)),
        "mfcc_20": MFCC(RATE, n_mfcc=20, melkwargs=long)(x),
        "mfcc_40": MFCC(RATE)(x),
        "fbank_23": kaldi.fbank(x[None]).T,
        "fbank_40": kaldi.fbank(x[None], **forty, window_type="hamming", high_freq=7000).T,
        "fbank_40_energy": kaldi.fbank(x[None], **forty, frame_length=40, use_energy=True).T,
        "fbank_40_energy_no_floor": kaldi.fbank(
            x[None], **forty, frame_length=40, use_energy=True, energy_floor=0.0
        ).T,
        "kaldi_mfcc_13": kaldi.mfcc(x[None], **forty).T,
    }
    path = Path(__file__).with_name("torchaudio.npz")
    arrays = {name: value.numpy().astype(np.float32) for name, value in values.items()}
    np.savez_compressed(path, signal=signal, version=torchaudio.__version__, **arrays)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, torchaudio {torchaudio.__version__}")


if __name__ == "__main__":
    main()
