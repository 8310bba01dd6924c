import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="package")
def manifest(tmp_path_factory):
    """Corpus of three speakers on disk: a low and a high tone."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    lines = ["file,speaker,emotion"]
    for speaker in ("a", "b", "c"):
        for emotion, pitch in (("calm", 200), ("anger", 900)):
            for take in range(3):
                time = np.arange(6000) / 16000
                tone = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.01 * rng.normal(size=6000)
                file = f"{speaker}_{emotion}_{take}.wav"
                soundfile.write(folder / file, tone, 16000)
                lines.append(f"{file},{speaker},{emotion}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def recordings(manifest, tmp_path):
    """Folder with two good recordings in a folder inside, a broken one and no audio."""
    inside = tmp_path / "recordings" / "inside"
    inside.mkdir(parents=True)
    for name in ("a_anger_0.wav", "a_calm_0.wav"):
        (inside / name).write_bytes((manifest.parent / name).read_bytes())
    (inside.parent / "broken.wav").write_text("no audio")
    (inside.parent / "notes.txt").write_text("no audio either")
    (inside.parent / ".hidden.wav").write_text("of some file manager")
    return inside.parent
