# SPDX-License-Identifier: EUPL-1.2
"""Processes of their own that need no second to begin: forked from a server which has imported the hub.

They are real processes: they can be killed, and share nothing with the test but files.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory


def forked(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """A process that has begun to do this."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.forked_preload"])
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def cityhub(arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """What the command line says and returns, in a process of its own; raise TimeoutExpired after `seconds`."""
    with TemporaryDirectory(prefix="cityhub-command-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = forked(_command, list(arguments), out, err, Path.cwd(), dict(os.environ))
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["cityhub", *arguments], seconds)
        told = [file.read_text(encoding="utf-8") if file.exists() else "" for file in (out, err)]
        return subprocess.CompletedProcess(["cityhub", *arguments], process.exitcode, *told)


def _command(arguments: Sequence[str], out: Path, err: Path, folder: Path, environment: Mapping[str, str]) -> None:
    from hub.cli import main

    for file, number in ((out, 1), (err, 2)):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["cityhub", *arguments]
    main()
