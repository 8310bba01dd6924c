"""Run every benchmark of this folder: ``python examples/benchmarks [--data EMODB]``."""

import argparse
import platform
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of Emo-DB; made signals are used without it")
    arguments = parser.parse_args()
    options = ["--data", arguments.data] if arguments.data else []
    print(f"{platform.machine()}, Python {platform.python_version()}, one thread\n", flush=True)
    codes = []
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"## {script.name}", flush=True)
        codes.append(subprocess.run([sys.executable, script, *options], check=False).returncode)
        print(flush=True)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
