"""Start the web application."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from serkit.utils import import_optional

__all__ = ["MAX_MEGABYTES", "launch"]

#: The largest file that can be uploaded: ten minutes of CD audio, and then some.
MAX_MEGABYTES = 128

_OPTIONS = {
    "server.address": "localhost",
    "server.maxUploadSize": MAX_MEGABYTES,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",  # which would wait for an answer at the first start
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.base": "light",
    "theme.primaryColor": "#0b5cab",
    "theme.textColor": "#1c2430",
    "theme.linkColor": "#0b5cab",
    "theme.secondaryBackgroundColor": "#f6f8fa",
    "theme.borderColor": "#c9d1da",
    # Distinct for colour-blind eyes too; marks tell them apart as well.
    "theme.greenColor": "#009E73",
    "theme.greenBackgroundColor": "#d5efe6",
    "theme.greenTextColor": "#00563f",
    "theme.redColor": "#D55E00",
    "theme.redBackgroundColor": "#fbdfca",
    "theme.redTextColor": "#8a3600",
}


def launch(
    results: str | os.PathLike | None = None, port: int | None = None, browser: bool = True
) -> None:
    """Run the web application until Ctrl-C is pressed.

    It is reachable from this computer only.

    Parameters
    ----------
    results : path-like or None, default=None
        Folder of results, the ``results_dir`` of :func:`~serkit.evaluation.compare`.
        Without one the application offers to run the demonstration.
    port : int or None, default=None
        Port on this computer; ``None`` is the first free one from 8501.
    browser : bool, default=True
        Open a browser window.

    Raises
    ------
    ImportError
        If streamlit is missing, which is the extra ``app``.
    FileNotFoundError
        If there is no such folder.
    RuntimeError
        If the application cannot start, for example as the port is taken.
    """
    import_optional("streamlit", extra="app", caller="serkit app")
    import_optional("matplotlib", extra="app", caller="serkit app")
    if results is not None and not Path(results).is_dir():
        raise FileNotFoundError(f"{os.fspath(results)} is no folder of results")
    process = subprocess.Popen(_command(results, port, browser))
    with _ended_with_us():
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = 0
        finally:
            process.terminate()
            process.wait()
    if code:
        raise RuntimeError(f"the application ended with code {code}; what it said stands above")


@contextlib.contextmanager
def _ended_with_us() -> Iterator[None]:
    """Let a request to terminate end the server too, which would otherwise hold the port."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _command(results: str | os.PathLike | None, port: int | None, browser: bool) -> list[str]:
    options = {**_OPTIONS, "server.headless": str(not browser).lower()}
    if port is not None:
        options["server.port"] = port
    script = Path(__file__).with_name("_main.py")
    command = [sys.executable, "-m", "streamlit", "run", os.fspath(script)]
    command += [f"--{name}={value}" for name, value in options.items()]
    return command if results is None else [*command, "--", os.path.abspath(results)]
