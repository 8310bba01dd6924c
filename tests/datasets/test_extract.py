import stat
import zipfile

import pytest

from serkit.datasets._extract import unzip


def pack(path, *members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def test_unzip(tmp_path):
    archive = pack(tmp_path / "a.zip", ("deep/er/1.txt", "one"), ("empty/", ""), ("a..b.txt", ""))
    unzip(archive, tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "er" / "1.txt").read_text() == "one"
    assert (tmp_path / "out" / "empty").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]


def link(name):
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    "member",
    [
        "../outside.txt",
        "a/../../outside.txt",
        "a\\..\\..\\outside.txt",
        "/outside.txt",
        "\\outside.txt",
        "C:/outside.txt",
        "C:outside.txt",
        link("inside.txt"),
    ],
)
def test_hostile_members_are_refused_and_nothing_is_written(tmp_path, member):
    home = tmp_path / "home"
    home.mkdir()
    archive = pack(tmp_path / "a.zip", ("good.txt", "good"), (member, "/etc/passwd"))
    with pytest.raises(ValueError, match=r"outside the folder|is a link"):
        unzip(archive, home / "out")
    assert list(home.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "home"]


def test_damaged_archives(tmp_path):
    archive = pack(tmp_path / "a.zip", ("1.txt", "content of the file"))
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"content of", b"CONTENT of"))
    with pytest.raises(ValueError, match="no intact ZIP archive: Bad CRC"):
        unzip(archive, tmp_path / "out")
    archive.write_text("<html>not found</html>")
    with pytest.raises(ValueError, match="no intact ZIP archive"):
        unzip(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def damage_deflated(path):
    pack(path, ("1.txt", "content of the file " * 50), compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    start = 30 + len("1.txt")
    content[start] = 0b111  # a last block of a type that does not exist
    path.write_bytes(content)


def encrypt(path):
    pack(path, ("1.txt", "content"))
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)


def cut_member(path):
    pack(path, ("1.txt", "content"))
    content = bytearray(path.read_bytes())
    for field in (content.index(b"PK\1\2") + 20, content.index(b"PK\1\2") + 24):
        content[field : field + 4] = (10_000).to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [damage_deflated, encrypt, cut_member])
def test_every_kind_of_damage_is_one_error(tmp_path, harm):
    harm(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="no intact ZIP archive"):
        unzip(tmp_path / "a.zip", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_what_would_fill_the_disk_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    archive = pack(tmp_path / "a.zip", ("1.txt", "12345"), ("2.txt", "12345"))
    monkeypatch.setattr("serkit.datasets._extract._MAX_SIZE", 10)
    unzip(archive, tmp_path / "out")
    monkeypatch.setattr("serkit.datasets._extract._MAX_SIZE", 9)
    with pytest.raises(ValueError, match="would unpack to 10 bytes"):
        unzip(archive, tmp_path / "again")
    assert not (tmp_path / "again").exists()
