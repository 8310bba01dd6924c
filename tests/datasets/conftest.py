"""Small audio files, and a server that can behave badly."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile


@pytest.fixture
def write_audio():
    """Write a file of noise; returns its path."""

    def write(path, seconds=0.1, sampling_rate=16000, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * sampling_rate))
        soundfile.write(path, noise, sampling_rate, **options)
        return path

    return write


@pytest.fixture(scope="session")
def tiny_wav(tmp_path_factory) -> bytes:
    """The bytes of a WAV file of 20 ms."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.wav"
    soundfile.write(path, np.full(320, 0.25), 16000)
    return path.read_bytes()


@pytest.fixture
def fill_folder(tiny_wav):
    """Put the same small WAV file under many names."""

    def fill(folder, names):
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tiny_wav)
        return folder

    return fill


@dataclass
class Behaviour:
    """What the server sends, and how badly; it notes the requests it gets."""

    content: bytes = b""
    etag: str | None = '"1"'
    modified: str | None = None
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)  # after how many bytes answers break off
    statuses: list[int] = field(default_factory=list)  # refusals that come first
    length: bool = True
    url: str = ""
    requests: list[dict] = field(default_factory=list)


@pytest.fixture
def server():
    """A local HTTP server; set its behaviour, read its requests."""
    behaviour = Behaviour()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            behaviour.requests.append(dict(self.headers))
            if behaviour.statuses:
                self.send_error(behaviour.statuses.pop(0))
                return
            start = self._start()
            total = len(behaviour.content)
            if start is not None and start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = behaviour.content[start or 0 :]
            self.send_response(200 if start is None else 206)
            if start is not None:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            if behaviour.etag:
                self.send_header("ETag", behaviour.etag)
            if behaviour.modified:
                self.send_header("Last-Modified", behaviour.modified)
            if behaviour.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour.cuts:
                body = body[: behaviour.cuts.pop(0)]
            self.wfile.write(body)

        def _start(self):
            """Return the position asked for, None for the whole."""
            asked = self.headers.get("Range")
            current = self.headers.get("If-Range") in (behaviour.etag, behaviour.modified)
            if not (asked and behaviour.ranges and current):
                return None
            return int(asked.removeprefix("bytes=").removesuffix("-"))

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    behaviour.url = f"http://127.0.0.1:{httpd.server_port}/archive.zip"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield behaviour
    httpd.shutdown()
    thread.join()
    httpd.server_close()
