"""Controls a real headless Chromium over its debugging pipe. Tests are skipped if there is none."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless=new", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe")
START = "import os, sys; a, b, *c = sys.argv[1:]; os.dup2(int(a), 3); os.dup2(int(b), 4); os.execv(c[0], c)"
"""A program that replaces itself by the browser, which reads from descriptor 3 and writes to 4."""
KEYS = {"ArrowDown": 40, "ArrowRight": 39, "Enter": 13, "Escape": 27, "Tab": 9, "/": 191}


class Browser:
    """One tab. `faults` has all errors of the page."""

    def __init__(self, write: IO[bytes], read: IO[bytes]) -> None:
        self._write, self._read, self._number, self._session = write, read, 0, ""
        self.faults: list[str] = []
        self.requests: list[str] = []
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **parameters: Any) -> Any:
        """Sends a command and waits for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while (answer := self._next()).get("id") != self._number:
            self._hear(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\0"):
            one = self._read.read(1)
            assert one, "the browser has ended"
            data += one
        found: dict[str, Any] = json.loads(data[:-1])
        return found

    def _hear(self, event: dict[str, Any]) -> None:
        method, told = event.get("method", ""), event.get("params", {})
        if method in ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"):
            self.faults.append(json.dumps(told))
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

    def open(self, page: Path, width: int = 1200, *, dark: bool = False) -> None:
        """Opens a page from the disk."""
        self.faults, self.requests = [], []
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self.tell("Page.navigate", url=page.as_uri())
        self.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def run(self, script: str) -> Any:
        """The value of a script's expression in the page."""
        answer = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def shown(self, selector: str) -> list[str]:
        """The text of each visible element."""
        visible = "(e) => e.checkVisibility() && e.getClientRects().length"
        found: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].filter({visible}).map((e) => e.innerText.trim())"
        )
        return found

    def press(self, key: str) -> None:
        """Presses a key."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=KEYS[key], **text)
            text = {}

    def choose(self, selector: str, value: str) -> None:
        """Fills in a field, and waits until the page has taken the value."""
        quoted, wanted = json.dumps(selector), json.dumps(value)
        self.run(
            f"(() => {{ const field = document.querySelector({quoted}); field.focus(); field.value = {wanted};"
            "for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {bubbles: true})); })()"
        )
        self.run("new Promise((done) => setTimeout(done, 150))")

    def picture(self, to: Path) -> None:
        """Saves a picture of the whole page, for developers."""
        data = self.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        to.write_bytes(base64.b64decode(data))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser, which ends afterwards. Skips the test if there is none, in CI too."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium here")
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with TemporaryDirectory() as folder:
        words = [program, *FLAGS, *sandbox, f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(to_read), str(from_write), *words],
            pass_fds=(to_read, from_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            with os.fdopen(to_write, "wb") as write, os.fdopen(from_read, "rb") as read:
                browser = Browser(write, read)
                yield browser
                browser._session = ""
                browser.tell("Browser.close")
        finally:
            process.terminate()
            process.wait(20)
