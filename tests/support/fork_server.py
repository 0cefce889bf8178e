"""A process that imports meshc once and forks for each run of it. support/processes.py starts it and sends the runs.

Each run is a separate process, with its own folder, environment, streams and exit code. This saves only the 0.5 s that
Python needs to import meshc. It can't test what happens before `main.run` is imported.

Each run arrives as one byte on the control socket with five files: its JSON, stdin, stdout, stderr, and the pipe that
gets its process id and later its exit code.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
from typing import NoReturn


def serve(control: socket.socket) -> None:
    """Forks for each run, until the tests close the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watchers: set[int] = set()
    while True:
        byte, files, _, _ = socket.recv_fds(control, 1, 5)
        while watchers and (ended := os.waitpid(-1, os.WNOHANG if byte else 0)[0]):
            watchers.remove(ended)
        if not byte:
            return
        watcher = os.fork()
        if watcher == 0:
            control.close()
            _watch(*files)
        watchers.add(watcher)
        for file in files:
            os.close(file)


def import_meshc() -> None:
    """Imports every module of meshc."""
    import meshc

    for module in pkgutil.walk_packages(meshc.__path__, "meshc."):
        if module.name != "meshc.__main__":
            importlib.import_module(module.name)
    gc.freeze()


def _watch(request: int, stdin: int, stdout: int, stderr: int, told: int) -> NoReturn:
    """Forks the run, waits for its end, and reports both."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with open(request, encoding="utf-8") as file:
            wanted = json.load(file)
        for number, stream in enumerate((stdin, stdout, stderr)):
            os.dup2(stream, number)
        os.closerange(3, max(stdin, stdout, stderr, told) + 1)
        _run(wanted["words"], wanted["cwd"], wanted["environment"], wanted["program"])
    for stream in (0, 1, 2, stdin, stdout, stderr):
        os.close(stream)  # a reader of these streams waits until all writers have closed them
    os.write(told, f"{pid}\n".encode())
    status = os.waitpid(pid, 0)[1]
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(words: list[str], cwd: str, environment: dict[str, str], program: str) -> NoReturn:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["meshc", *words]
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, mode), encoding="utf-8", errors=errors)
        for number, mode, errors in ((0, "r", "strict"), (1, "w", "strict"), (2, "w", "backslashreplace"))
    )
    try:
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        _end(1 if isinstance(end.code, str) else end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        _end(1)
    _end(0)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    for thread in threading.enumerate():  # Python does the same at its end
        if not thread.daemon and thread is not threading.main_thread():
            thread.join(10)
    os._exit(code)


if __name__ == "__main__":
    del sys.path[0]  # this folder, because its modules aren't meshc's
    import_meshc()
    serve(socket.socket(fileno=int(sys.argv[1])))
