"""The tutorial can be followed: its blocks, pasted into a shell one after the other, do what it says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.+?)^```\n(?:\nThis leaves with exit code (\d+))?", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w./-]+\.(?:csv|env|html|journal|json|md|snapshot|xlsx))`")
PATIENCE = 300


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a person who has just opened a shell, beside a link to the repository's docs."""
    (tmp_path / "docs").symlink_to(DOCS)
    quick = {"PERMMIGRATE_WEIGH": os.environ["PERMMIGRATE_WEIGH"]}
    yield {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)} | quick
    state = tmp_path / "state.sh"
    left = re.search(r'SANDBOX="(\d+)"', state.read_text(encoding="utf-8")) if state.exists() else None
    if left:
        with suppress(ProcessLookupError):
            os.kill(int(left[1]), signal.SIGTERM)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def run(block: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a block in a shell that goes on where the last one stopped; stop at the first line that fails."""
    state, said = folder / "state.sh", folder / "said.txt"
    script = f'[ ! -e {state} ] || . {state}\nset -a\n{block}\n{{ export -p; echo cd "$PWD"; }} > {state}\n'
    with said.open("wb") as out:  # a file: the sandbox, which goes on, would keep a pipe open
        code = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        ).returncode
    return code, said.read_text(encoding="utf-8")


@pytest.mark.long
def test_every_block_leaves_as_it_says(tmp_path: Path, shell: dict[str, str]) -> None:
    """With 0, or with the code that the text notes; and every file that it names is there in the end."""
    port = str(free_port())
    blocks = [(block.replace("8042", port), int(code or 0)) for block, code in BLOCK.findall(PAGE)]
    assert len(blocks) == PAGE.count("```sh\n")
    assert {0, 3, 5, 6} <= {code for _, code in blocks}
    for block, expected in blocks:
        code, said = run(block, tmp_path, shell)
        assert expected == code, f"{block}\n{said}"
        assert "Traceback" not in said
    named = set(FILE.findall(PAGE))
    assert len(named) >= 10
    assert not {name for name in named if not (tmp_path / "tutorial" / name).is_file()}
