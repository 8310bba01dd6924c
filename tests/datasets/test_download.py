import json

import numpy as np
import pytest
import requests

from serkit.datasets import _download
from serkit.datasets._download import ResumingDownloader

CUT = 12 * 8192
CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def pauses(monkeypatch):
    slept = []
    monkeypatch.setattr(_download.time, "sleep", slept.append)
    return slept


@pytest.fixture
def download(server, tmp_path, pauses):
    server.content = CONTENT

    def run(**options):
        target = tmp_path / "target.zip"
        ResumingDownloader(tmp_path / "x.part", verbose=0, **options)(server.url, target)
        return target.read_bytes()

    return run


def remains(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_whole_transfer(download, server, tmp_path, pauses):
    assert download() == CONTENT
    assert len(server.requests) == 1
    assert remains(tmp_path) == ["target.zip"]
    assert pauses == []


def test_goes_on_where_it_broke_off(download, server, tmp_path):
    server.cuts = [CUT, CUT]
    assert download() == CONTENT
    asked = [(r.get("Range"), r.get("If-Range")) for r in server.requests]
    assert asked == [(None, None), (f"bytes={CUT}-", '"1"'), (f"bytes={2 * CUT}-", '"1"')]
    assert remains(tmp_path) == ["target.zip"]


def test_progress_renews_the_retries(download, server, pauses):
    server.cuts = [8192] * 29
    assert download(retries=1) == CONTENT
    assert len(server.requests) == 30
    assert set(pauses) == {1.0}


def test_gives_up_without_progress(download, server, tmp_path, pauses):
    server.cuts = [CUT, 0, 0, 0]
    with pytest.raises(ConnectionError, match=r"after 98304 bytes.*x\.part: call again to go on"):
        download(retries=2)
    assert pauses == [1.0, 1.0, 2.0]
    assert remains(tmp_path) == ["x.part", "x.part.json"]


def test_a_later_call_goes_on(download, server):
    server.cuts = [CUT, 0]
    with pytest.raises(ConnectionError):
        download(retries=0)
    server.requests.clear()
    assert download() == CONTENT
    assert [r["Range"] for r in server.requests] == [f"bytes={CUT}-"]


def test_begins_anew_where_ranges_are_not_supported(download, server):
    server.cuts, server.ranges = [CUT, 50_000], False
    assert download() == CONTENT
    assert len(server.requests) == 3


def test_begins_anew_when_the_content_changed(download, server):
    server.cuts = [CUT, 0]
    with pytest.raises(ConnectionError):
        download(retries=0)
    server.content, server.etag = CONTENT[::-1], '"2"'
    assert download() == CONTENT[::-1]
    assert server.requests[-1]["Range"] == f"bytes={CUT}-"


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_begins_anew_where_nothing_identifies_the_file(download, server, etag):
    server.cuts, server.etag = [CUT], etag
    assert download() == CONTENT
    assert "Range" not in server.requests[1]


def test_goes_on_with_a_date_instead_of_a_tag(download, server):
    server.cuts, server.etag, server.modified = [CUT], None, "Sat, 01 Aug 2020 00:00:00 GMT"
    assert download() == CONTENT
    assert server.requests[1]["If-Range"] == server.modified
    assert server.requests[1]["Range"] == f"bytes={CUT}-"


def test_a_part_of_another_address_is_not_continued(download, server, tmp_path):
    (tmp_path / "x.part").write_bytes(b"other")
    notes = {"url": "http://other", "size": 9, "validator": '"1"'}
    (tmp_path / "x.part.json").write_text(json.dumps(notes))
    assert download() == CONTENT
    assert "Range" not in server.requests[0]


def test_a_part_without_readable_notes_is_not_continued(download, server, tmp_path):
    (tmp_path / "x.part").write_bytes(b"other")
    (tmp_path / "x.part.json").write_text("{")
    assert download() == CONTENT
    assert "Range" not in server.requests[0]


def test_a_part_that_is_complete_needs_no_request(download, server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT)
    notes = {"url": server.url, "size": len(CONTENT), "validator": '"1"'}
    (tmp_path / "x.part.json").write_text(json.dumps(notes))
    assert download() == CONTENT
    assert server.requests == []


def test_a_part_longer_than_the_file_is_dropped(download, server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT + b"more")
    notes = {"url": server.url, "size": 2 * len(CONTENT), "validator": '"1"'}
    (tmp_path / "x.part.json").write_text(json.dumps(notes))
    assert download() == CONTENT
    assert [r.get("Range") for r in server.requests] == ["bytes=300004-", None]


def test_server_that_is_overloaded_for_a_while(download, server, pauses):
    server.statuses = [503, 429]
    assert download() == CONTENT
    assert pauses == [1.0, 2.0]


def test_refusal_is_final(download, server):
    server.statuses = [404]
    with pytest.raises(requests.HTTPError, match="404"):
        download()
    assert len(server.requests) == 1


def test_unknown_length(download, server):
    server.length = False
    assert download() == CONTENT


def test_nobody_listens(tmp_path, pauses):
    download = ResumingDownloader(tmp_path / "x.part", retries=1, verbose=0)
    with pytest.raises(ConnectionError, match="broke off after 0 bytes"):
        download("http://127.0.0.1:9/x.zip", tmp_path / "target.zip")
    assert len(pauses) == 1
