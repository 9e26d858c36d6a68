"""How long `permmigrate --help` takes against a bare click program, both in fresh interpreters, in one run.

Prints the median of each and their ratio; leaves with 1 when the ratio is over the promise of 2.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 25
PROMISE = 2.0
BARE = "import click\n@click.group()\ndef cli(): 'A bare program.'\ncli(['--help'])"
OURS = "import sys; sys.argv = ['permmigrate', '--help']; from permmigrate.cli import main; main()"


def seconds(code: str) -> float:
    """One run in a fresh interpreter."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    return time.perf_counter() - started


def main() -> int:
    """Alternate the two programs, so that noise meets both."""
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(seconds(BARE))
        ours.append(seconds(OURS))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"bare click --help   {statistics.median(bare) * 1000:7.1f} ms")
    print(f"permmigrate --help  {statistics.median(ours) * 1000:7.1f} ms")
    print(f"ratio               {ratio:7.2f}    (promise: at most {PROMISE:g})")
    return int(ratio > PROMISE)


if __name__ == "__main__":
    raise SystemExit(main())
