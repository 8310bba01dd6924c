import stat
import zipfile

import pytest

from serkit.datasets._extract import unzip


def pack(path, *members):
    with zipfile.ZipFile(path, "w") as archive:
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
