"""Parses the host of a certificate's URI, if Go's net/url and RFC 3986 agree on it."""

from __future__ import annotations

import re

_TEXT = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(?://(?:{_TEXT}*@)?(?P<host>[A-Za-z0-9._~!$&'()*+,;=-]*(?::[0-9]*)?)(?:/(?:{_TEXT}|/)*)?|(?!//)(?:{_TEXT}|/)*)"
    rf"(?:\?(?:{_TEXT}|[/?])*)?(?:#(?:{_TEXT}|[/?])*)?"
)


def host_of(uri: str) -> str | None:
    """The host with its port; empty if the URI has no host, and None if it isn't an absolute URI.

    A percent-encoded host or an IPv6 address isn't accepted, because parsers disagree about both.
    """
    found = _URI.fullmatch(uri)
    return None if found is None else found["host"] or ""
