"""Finds the calls in a chart's templates whose results differ from run to run: random values and the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ACTION = re.compile(rb"\{\{.*?\}\}", re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|`[^`]*`|[.$]?\w+')
_RANDOM = frozenset(
    (
        *(b"randAlphaNum", b"randAlpha", b"randNumeric", b"randAscii", b"randBytes", b"randInt", b"uuidv4", b"shuffle"),
        *(b"genPrivateKey", b"genCA", b"genCAWithKey", b"genSelfSignedCert", b"genSelfSignedCertWithKey"),
        *(b"genSignedCert", b"genSignedCertWithKey", b"htpasswd", b"bcrypt", b"encryptAES"),
    )
)
_ELSEWHEN = {b"now": b'(toDate "2006-01-02" "2001-02-03")', b"ago": b"toString"}
"""The clock's functions in sprig, each with a call that doesn't ask the clock."""


def changeable(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Each call of such a function in the templates, as `templates/secret.yaml:12: randAlphaNum`, in order."""
    found = []
    for path in sorted(files):
        for action in _ACTION.finditer(files[path]) if b"{{" in files[path] else ():
            for token in _TOKEN.finditer(action[0]):
                if token[0] in _RANDOM or token[0] in _ELSEWHEN:
                    line = files[path].count(b"\n", 0, action.start() + token.start()) + 1
                    found.append(f"{path}:{line}: {token[0].decode()}")
    return tuple(found)


def at_another_time(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same chart as it would be rendered on another day."""
    return {path: _ACTION.sub(_elsewhen, data) if b"{{" in data else data for path, data in files.items()}


def _elsewhen(action: re.Match[bytes]) -> bytes:
    return _TOKEN.sub(lambda token: _ELSEWHEN.get(token[0], token[0]), action[0])
