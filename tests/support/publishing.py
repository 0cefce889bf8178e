"""Helpers for tests of publishing: a mesh in a real repository, separate Git settings, servers on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.processes import Run, Running

PERSON = "[user]\n\tname = A Person\n\temail = person@example.com\n[init]\n\tdefaultBranch = main\n"


@dataclass(frozen=True)
class Ground:
    """A folder with a person's Git settings (`person`) and a mesh in a repository (`mesh`), committed."""

    folder: Path

    @property
    def mesh(self) -> Path:
        return self.folder / "mesh"

    @property
    def person(self) -> Path:
        return self.folder / "gitconfig"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own = {"GIT_CONFIG_GLOBAL": str(self.person), "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.folder)}
        return {**kept, **own, "NO_COLOR": "1", **more}

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.mesh, capture_output=True, text=True, env=self.environment(), check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *arguments: str, cwd: Path | None = None, **more: str) -> Running:
        return Running("publish", *arguments, cwd=cwd or self.mesh, environment=self.environment(**more))

    def publish(self, *arguments: str, cwd: Path | None = None, **more: str) -> Run:
        return self.start(*arguments, cwd=cwd, **more).wait()

    def commit(self, why: str, cwd: Path | None = None) -> str:
        self.git("add", "--all", cwd=cwd)
        self.git("commit", "--quiet", "--message", why, cwd=cwd)
        return self.git("rev-parse", "HEAD", cwd=cwd)

    def bare(self, name: str = "far.git") -> Path:
        far = self.folder / name
        self.git("init", "--quiet", "--bare", str(far))
        return far

    def files(self, commit: str, cwd: Path | None = None) -> set[str]:
        return set(self.git("ls-tree", "-r", "--name-only", "--full-tree", commit, cwd=cwd).splitlines())

    def change(self, old: str, new: str, cwd: Path | None = None) -> None:
        file = (cwd or self.mesh) / "mesh.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))


def new_ground(folder: Path, sample: Path) -> Ground:
    """A new ground, from a mesh that was compiled once, so that its cache makes starting kustomize unnecessary."""
    ground = Ground(folder.resolve())
    ground.person.write_text(PERSON)
    shutil.copytree(sample, ground.mesh)
    ground.git("init", "--quiet")
    ground.commit("the mesh")
    return ground


def seen(canary: Path) -> str:
    return canary.read_text() if canary.exists() else ""


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """`git daemon` on loopback, open to pushes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--export-all", "--enable=receive-pack", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    daemon = subprocess.Popen(
        ["git", "daemon", *options, f"--base-path={folder}", str(folder)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"git://127.0.0.1:{port}"
    finally:
        daemon.terminate()
        daemon.wait()


@contextmanager
def http_server(folder: Path, user: str = "", password: str = "") -> Iterator[str]:
    """`git http-backend` behind a small HTTP server on loopback, with basic authentication if asked for."""
    wanted = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if user and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            sent = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command}
            sent |= {"GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": user or "anyone"}
            sent |= {"CONTENT_TYPE": self.headers.get("Content-Type", ""), "PATH": os.environ["PATH"]}
            sent |= {"HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = subprocess.run(["git", "http-backend"], input=body, env=sent, capture_output=True, check=True)
            head, _, content = answer.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
