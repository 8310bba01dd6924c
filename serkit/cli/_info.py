"""``serkit info``: what is installed, what it runs on, what a model file holds."""

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from serkit import __version__
from serkit.cli._arguments import add_command, add_debug, add_json
from serkit.cli._model import check_model
from serkit.cli._output import print_json

__all__ = ["add_parser"]

#: Optional parts: the extra that installs them, their packages, and what they are for.
OPTIONAL = {
    "opensmile": (("opensmile",), "features of openSMILE"),
    "plot": (("matplotlib",), "displays and reports with figures"),
    "app": (("streamlit",), "the web application"),
    "persist": (("skops",), "saving pipelines with parts of scikit-learn"),
    "onnx": (("onnx", "onnxscript", "onnxruntime"), "export of networks"),
    "pretrained": (("transformers",), "pretrained encoders"),
    "torchaudio": (("torchaudio",), "transforms of torchaudio as steps"),
    "umap": (("umap-learn",), "scatter plots by UMAP"),
    "augment": (("audiomentations",), "more changes of audio"),
    "distributed": (("dask", "distributed"), "work on several machines"),
    "parquet": (("pyarrow",), "tables as parquet files"),
}

_EPILOG = """\
examples:
  serkit info
  serkit info emodb.serkit
  serkit info --json
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "info",
        _run,
        help="show versions, devices, optional parts; describe a model",
        description="Show versions, devices and optional parts, with how to install those that "
        "are missing; with a model file, what it holds. Nothing in the file is run.",
        epilog=_EPILOG,
    )
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="a saved model")
    add_json(parser)
    add_debug(parser)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.model is not None:
        _show_model(arguments)
        return
    found = {
        "serkit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _packages(),
        "devices": _devices(),
        "optional": [_optional(extra) for extra in OPTIONAL],
    }
    if arguments.json:
        print_json(found)
    else:
        print(_as_text(found))


def _show_model(arguments: argparse.Namespace) -> None:
    from serkit.persistence import describe

    check_model(arguments.model)
    about = describe(arguments.model)
    if arguments.json:
        print_json(about)
    else:
        data = about.get("data")
        if data:  # Digests of all utterances are for programs.
            about["data"] = {name: data[name] for name in data if name != "utterances"}
        print("\n".join([str(arguments.model), *_indented(about)]))


def _indented(value: Any, depth: int = 1) -> list[str]:
    """Return nested dicts as lines, one per entry that is not a dict."""
    lines = []
    for key, inner in value.items():
        indent = "  " * depth
        if isinstance(inner, dict) and inner:
            lines += [f"{indent}{key}:", *_indented(inner, depth + 1)]
        else:
            lines.append(f"{indent}{key}: {_plain(inner)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple | set):
        return ", ".join(map(_plain, value)) or "-"
    return "-" if value in (None, "", {}) else str(value)


def _packages() -> dict[str, str]:
    from serkit.utils import package_versions

    return {**package_versions(), **_installed(("pandas", "joblib", "imbalanced-learn"))}


def _devices() -> dict[str, Any]:
    import joblib
    import torch

    cuda = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "cpu_cores": os.cpu_count(),
        "cpu_cores_usable": joblib.cpu_count(),
        "cuda": cuda if torch.cuda.is_available() else [],
        "mps": torch.backends.mps.is_available(),
    }


def _optional(extra: str) -> dict[str, Any]:
    packages, purpose = OPTIONAL[extra]
    installed = _installed(packages)
    return {
        "extra": extra,
        "purpose": purpose,
        "installed": len(installed) == len(packages),
        "packages": installed,
        "missing": [name for name in packages if name not in installed],
        "install": f'pip install "serkit[{extra}]"',
    }


def _installed(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _as_text(found: dict[str, Any]) -> str:
    devices = found["devices"]
    usable, cores = devices["cpu_cores_usable"], devices["cpu_cores"]
    lines = [
        f"serkit {found['serkit']}, Python {found['python']}, {found['platform']}",
        "",
        "packages",
        *(f"  {name:<18}{number}" for name, number in found["packages"].items()),
        "",
        "devices",
        f"  cpu               {usable} cores" + (f" of {cores}" if usable != cores else ""),
        *(f"  cuda:{number}            {name}" for number, name in enumerate(devices["cuda"])),
        *([] if devices["cuda"] else ["  cuda              none that torch can use"]),
        *(["  mps               usable"] if devices["mps"] else []),
        "",
        "optional parts",
    ]
    for part in found["optional"]:
        if part["installed"]:
            state = ", ".join(f"{name} {number}" for name, number in part["packages"].items())
        else:
            state = f"missing: {part['install']}"
        lines.append(f"  {part['extra']:<14}{part['purpose']:<46}{state}")
    return "\n".join(lines)
