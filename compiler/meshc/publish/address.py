"""Checks a repository's address, from the command line or from Git's settings, before Git may use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from meshc.errors import RefusedError, UsageError
from meshc.tree import FileTree

_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,30}")
_TOKEN = re.compile(r"gh[a-z]_|github_pat_|gl[a-z]+-|AT[A-Z]{2}", re.IGNORECASE)
_SCP = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>\[[^]/]*\]|[^@/:]*):(?P<path>.*)")
_HIDDEN_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,100}")
_BRANCH = re.compile(r"[^-\s~^:?*\[\\@][^\s~^:?*\[\\]{0,200}")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository that Git reaches over one protocol. `url` is what Git gets, `str()` what may be shown."""

    url: str
    protocol: str
    shown: str

    def __str__(self) -> str:
        return self.shown


def address(text: str, *, named: bool) -> Address | Path:
    """A repository's address or folder.

    `named` is true if it comes from the command line: this is required for paths, file:// and unencrypted loopback
    addresses. Raises RefusedError; the message quotes nothing that may contain a password.
    """
    if not text or text.startswith("-") or not text.isprintable():
        raise RefusedError("the repository's address is empty, begins with - or contains a control character")
    if _HELPER.match(text):
        raise RefusedError(
            'meshc never uses addresses with "::", because they start programs', "use https:// or ssh://"
        )
    if _SCHEME.match(text):
        return _url(text, named)
    scp = _SCP.fullmatch(text)
    if scp:
        _refuse_host(scp["host"].strip("[]"))
        _refuse_user(scp["user"])
        if not scp["path"] or scp["path"].startswith("-"):
            raise RefusedError("the address has no path, or a path that begins with -")
        return Address(text, "ssh", text)
    if not named:
        raise RefusedError(f'"{text}" is a folder on this machine', _NAME_IT)
    return Path(text)


_NAME_IT = "name it on the command line if you mean it: --remote or --repo"


def _url(text: str, named: bool) -> Address | Path:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError("the address isn't a URL") from None
    if parts.password is not None:
        hint = "use a credential helper instead: git help credentials"
        raise RefusedError("the address contains a password, which others could read", hint)
    if parts.query or parts.fragment or " " in text or _HIDDEN_CONTROL.search(text):
        raise RefusedError("the address contains a query, a space or a control character, which isn't allowed")
    if parts.scheme == "file":
        return _file(parts, named)
    _refuse_host(host)
    _refuse_user(parts.username)
    if parts.scheme == "ssh":
        return Address(text, "ssh", text)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme == "https":
        return Address(text, "https", shown)
    if parts.scheme not in ("http", "git"):
        raise RefusedError(f'addresses of "{parts.scheme}" are never used', "use https:// or ssh://")
    if host not in _LOOPBACK:
        raise RefusedError(f"{shown} isn't encrypted", "use https:// or ssh://")
    if not named:
        raise RefusedError(f"{shown} isn't encrypted", _NAME_IT)
    return Address(text, parts.scheme, shown)


def _file(parts: SplitResult, named: bool) -> Path:
    if parts.netloc or "%" in parts.path:
        raise RefusedError("a file:// address must have only a path, without %")
    if not named:
        raise RefusedError(f'"{parts.path}" is a folder on this machine', _NAME_IT)
    return Path(parts.path)


def _refuse_host(host: str) -> None:
    if not _HOST.fullmatch(host):
        raise RefusedError("the address has no valid host name")


def _refuse_user(user: str | None) -> None:
    if user is not None and (not _USER.fullmatch(user) or _TOKEN.match(user)):
        hint = "only a user name may be there; use a credential helper for a token: git help credentials"
        raise RefusedError("the text before @ in the address isn't a user name", hint)


def on_disk(folder: Path) -> Address:
    """A folder as an absolute path, because Git could read another path as an option or a host."""
    path = str(folder.resolve())
    return Address(path, "file", path)


def branch_name(text: str) -> str:
    """A possible name of a branch; Git must still check it."""
    if not _BRANCH.fullmatch(text) or not text.isprintable() or text == "HEAD" or text.startswith("refs/"):
        raise UsageError("--branch isn't a valid branch name")
    return text


def remote_name(text: str) -> str | None:
    """`text` if it can be the name of a remote, None if it is an address."""
    return text if _REMOTE.fullmatch(text) and ".." not in text and not text.endswith(("/", ".lock")) else None


def folder_name(text: str) -> str:
    """A folder of the target, relative to its top and normalized; "" is the top."""
    path = text.strip("/") if text != "/" else ""
    if path in ("", "."):
        return ""
    try:
        FileTree({path: b""})
    except ValueError:
        raise UsageError("--path isn't a folder inside the repository, relative to its top") from None
    if text.startswith("/") or any(part.lower() in (".git", "git~1") for part in path.split("/")):
        raise UsageError("--path isn't a folder inside the repository, relative to its top")
    return path
