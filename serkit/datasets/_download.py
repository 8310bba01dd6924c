"""A downloader for pooch that goes on where a transfer broke off."""

import json
import os
import time
from pathlib import Path
from typing import Any

import requests
from tqdm.auto import tqdm

__all__ = ["ResumingDownloader"]

_CHUNK = 1 << 13  # bytes; of a transfer that breaks off the last, incomplete chunk is lost
#: Answers that may be different the next time.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class _BrokenOffError(Exception):
    pass


_RETRIED = (
    _BrokenOffError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


class ResumingDownloader:
    """Download over HTTP into a file that survives, and complete it when called again.

    The server is asked for the rest only on condition that its file is still
    the one that was begun (``If-Range``); otherwise, and if it does not support
    ranges, the download begins anew.

    Parameters
    ----------
    part : path-like
        Where the incomplete file is kept. Beside it lies a ``.json`` file that
        says what it is the beginning of.
    retries : int, default=5
        How many times in a row to try again without any progress.
    backoff : float, default=1.0
        Pause before the first retry in seconds; it doubles each time.
    timeout : float, default=30.0
        How long to wait for the server in seconds.
    verbose : int or bool, default=1
        Show a progress bar when positive.
    """

    def __init__(
        self,
        part: str | os.PathLike,
        *,
        retries: int = 5,
        backoff: float = 1.0,
        timeout: float = 30.0,
        verbose: int | bool = 1,
    ):
        self.part = Path(part)
        self.notes = self.part.with_name(self.part.name + ".json")
        self.retries = retries
        self.backoff = backoff
        self.timeout = timeout
        self.verbose = verbose

    def __call__(self, url: str, output_file: str | os.PathLike, pooch: Any = None) -> None:
        """Download a file, as pooch asks a downloader to do.

        Parameters
        ----------
        url : str
            What to download.
        output_file : path-like
            Where the complete file goes.
        pooch : object
            Ignored.

        Raises
        ------
        ConnectionError
            If the transfer breaks off too often; what has arrived is kept.
        requests.HTTPError
            If the server refuses.
        """
        failures, furthest = 0, self._size()
        while True:
            try:
                self._transfer(url)
                break
            except _RETRIED as error:
                failures = 0 if self._size() > furthest else failures + 1
                furthest = max(furthest, self._size())
                if failures > self.retries:
                    raise ConnectionError(
                        f"the download of {url} broke off after {self._size()} bytes ({error}); "
                        f"they are kept in {self.part}: call again to go on"
                    ) from error
                time.sleep(self.backoff * 2 ** max(failures - 1, 0))
        os.replace(self.part, output_file)
        self.notes.unlink(missing_ok=True)

    def _transfer(self, url: str) -> None:
        """Fetch the file, or what lacks of it, in one request."""
        notes = self._read_notes(url)
        have = self._size() if notes else 0
        if have and have == notes["size"]:
            return
        # A compressed transfer would make the positions meaningless.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": notes["validator"]}
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
            self._check_answer(response, have)
            if not have or response.status_code != requests.codes.partial_content:
                have = 0
                notes = self._write_notes(url, response)
            self._write(response, have, notes["size"])

    def _check_answer(self, response: requests.Response, have: int) -> None:
        if response.status_code in _PASSING:
            raise _BrokenOffError(f"the server answers {response.status_code}")
        content_range = response.headers.get("Content-Range", "")
        fits = content_range.startswith(f"bytes {have}-")
        if response.status_code == requests.codes.requested_range_not_satisfiable or (
            response.status_code == requests.codes.partial_content and not fits
        ):
            self.notes.unlink(missing_ok=True)
            raise _BrokenOffError("the server has no continuation of what is here")
        response.raise_for_status()

    def _write(self, response: requests.Response, have: int, size: int | None) -> None:
        bar = tqdm(
            total=size,
            initial=have,
            desc=self.part.stem,
            unit="B",
            unit_scale=True,
            disable=not self.verbose,
        )
        with open(self.part, "ab" if have else "wb") as file, bar:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
        if size is not None and self._size() != size:
            raise _BrokenOffError(f"{self._size()} of {size} bytes arrived")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _read_notes(self, url: str) -> dict[str, Any]:
        """Return what is known of the file that was begun, empty if it cannot be continued."""
        try:
            notes = json.loads(self.notes.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return notes if notes["url"] == url and notes["validator"] else {}

    def _write_notes(self, url: str, response: requests.Response) -> dict[str, Any]:
        size = response.headers.get("Content-Length")
        entity = response.headers.get("ETag", "")
        if not entity or entity.startswith("W/"):  # a weak one does not promise equal bytes
            entity = response.headers.get("Last-Modified", "")
        notes = {"url": url, "size": size and int(size), "validator": entity}
        # Nothing may be continued with notes of another file, even if killed right here.
        self.part.unlink(missing_ok=True)
        self.notes.write_text(json.dumps(notes), "utf-8")
        return notes
