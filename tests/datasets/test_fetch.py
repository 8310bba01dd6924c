import hashlib
import io
import zipfile

import pytest

from serkit.datasets import _download, fetch_emodb, fetch_ravdess
from serkit.datasets._emodb import _all_stems
from serkit.datasets._ravdess import _all_fields


def pack(names, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def emodb(tiny_wav):
    return pack([f"wav/{stem}.wav" for stem in _all_stems()], tiny_wav)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_download.time, "sleep", lambda seconds: None)


def test_fetch_emodb_despite_a_broken_transfer(server, tmp_path, emodb):
    server.content, server.cuts = emodb, [8192 * 20 + 5]
    corpus = fetch_emodb(tmp_path, url=server.url, verbose=0)
    assert len(corpus) == 535
    assert corpus.root == tmp_path / "emodb"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "emodb",
        "emodb.zip",
        "emodb.zip.sha256",
    ]
    assert server.requests[1]["Range"] == f"bytes={8192 * 20}-"
    assert len(fetch_emodb(tmp_path, url=server.url, verbose=0)) == 535
    assert len(server.requests) == 2


def test_a_change_of_the_archive_is_noticed(server, tmp_path, emodb, tiny_wav):
    server.content = emodb
    fetch_emodb(tmp_path, url=server.url, verbose=0)
    recorded = (tmp_path / "emodb.zip.sha256").read_text()
    assert recorded == f"{hashlib.sha256(emodb).hexdigest()}  emodb.zip\n"

    (tmp_path / "emodb.zip").unlink()
    (tmp_path / "emodb").rename(tmp_path / "old")
    server.content = pack(["wav/03a01Fa.wav"], tiny_wav)
    with pytest.raises(ValueError, match="does not match") as caught:
        fetch_emodb(tmp_path, url=server.url, verbose=0)
    assert "delete" in caught.value.__notes__[0]
    assert not (tmp_path / "emodb").exists()
    assert not (tmp_path / "emodb.zip").exists()


def test_fetch_ravdess(server, tmp_path, monkeypatch, tiny_wav):
    stems = [fields for fields in _all_fields() if fields[1] == "01"]
    server.content = pack([f"Actor_{f[-1]}/{'-'.join(f)}.wav" for f in stems], tiny_wav)
    monkeypatch.setenv("SERKIT_HOME", str(tmp_path / "home"))
    good = f"md5:{hashlib.md5(server.content).hexdigest()}"
    corpus = fetch_ravdess(url=server.url, known_hash=good, verbose=0)
    assert len(corpus) == 1440
    assert corpus.root == tmp_path / "home" / "ravdess"


def test_the_published_checksum_of_ravdess_is_asked_for(server, tmp_path, monkeypatch):
    monkeypatch.setattr("serkit.datasets._fetch.RAVDESS_URL", server.url)
    server.content = b"something else"
    with pytest.raises(ValueError, match="bc696df654c87fed845eb13823edef8a"):
        fetch_ravdess(tmp_path, verbose=0)
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_archive_is_not_kept(server, tmp_path):
    server.content = b"<html>moved</html>"
    with pytest.raises(ValueError, match="no intact ZIP archive"):
        fetch_emodb(tmp_path, url=server.url, verbose=0)
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_archive_writes_nothing(server, tmp_path, tiny_wav):
    server.content = pack(["wav/03a01Fa.wav", "../evil.wav"], tiny_wav)
    home = tmp_path / "home"
    with pytest.raises(ValueError, match=r"'\.\./evil\.wav' points outside"):
        fetch_emodb(home, url=server.url, verbose=0)
    assert list(home.iterdir()) == []
    assert list(tmp_path.iterdir()) == [home]


def test_a_damaged_archive_does_not_stand_in_the_way_of_the_next_call(
    server, tmp_path, emodb, tiny_wav
):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1", tiny_wav)
    damaged = bytearray(buffer.getvalue())
    damaged[31] = 0b111  # the first byte of the compressed data
    server.content = bytes(damaged)
    with pytest.raises(ValueError, match="no intact ZIP archive"):
        fetch_emodb(tmp_path, url=server.url, verbose=0)
    server.content, server.etag = emodb, '"2"'
    assert len(fetch_emodb(tmp_path, url=server.url, verbose=0)) == 535
