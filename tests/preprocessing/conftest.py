import pytest


@pytest.fixture(scope="session")
def librosa():
    """librosa, whose import takes seconds, for those tests alone that compare with it."""
    import librosa
    import librosa.effects

    return librosa
