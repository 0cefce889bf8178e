"""Splits the output of `kustomize build` for a cluster into the files of output/, as text and without parsing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from meshc.kube import Identity
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import RESOURCES
from meshc.tree import HEADER, FileTree

_LINES = re.compile("[^\\n]*+")


def split(stream: bytes, homes: Mapping[Identity, str]) -> FileTree:
    """One file for each component with its objects in kustomize's order, and a kustomization.yaml that only lists the
    files.

    Objects that no component made are in resources.yaml.
    """
    files: dict[str, list[str]] = {file: [] for file in homes.values()}
    for document in documents(stream.decode()):
        files.setdefault(homes.get(identity_in(document), RESOURCES), []).append(document)
    texts = {file: HEADER + "---\n".join(found).encode() for file, found in files.items() if found}
    return FileTree({**texts, NAME: kustomization(texts)})


def documents(stream: str) -> list[str]:
    """The documents of a stream in kustomize's style, each with the line break at its end.

    A document ends at a line `---`: kustomize indents everything inside a document, so no value can have such a line
    without indentation. Empty lines before it belong to the last value of the document.
    """
    return [f"{text}\n" for text in stream.removesuffix("\n").split("\n---\n")] if stream.strip() else []


def identity_in(document: str) -> Identity:
    """The identity of an object in kustomize's style."""
    api_version, kind, namespace, name = head_of(document)
    group, _, version = api_version.rpartition("/")
    return Identity(group if version else "", kind, namespace, name)


@lru_cache(maxsize=1 << 12)  # many clusters have the same objects
def head_of(document: str) -> tuple[str, str, str, str]:
    """apiVersion, kind, namespace and name, read from the lines of an object in kustomize's style.

    Reads no YAML, because parsing would take longer than the build.
    """
    top: dict[str, str] = {}
    metadata: dict[str, str] = {}
    section = ""
    for found in _LINES.finditer(document):  # a document can have a megabyte, and its head is at its start
        line = found[0]
        if line[:1] not in ("", " ", "-", "#"):
            section, _, value = f"{line} ".partition(": ")
            top[section] = _scalar(value)
        elif section == "metadata" and line[:2] == "  " and line[2:3] not in (" ", "-"):
            key, _, value = f"{line[2:]} ".partition(": ")
            metadata[key] = _scalar(value)
        if "kind" in top and section > "metadata":
            break
    return top.get("apiVersion", ""), top.get("kind", ""), metadata.get("namespace", ""), metadata.get("name", "")


def _scalar(text: str) -> str:
    """Reads a plain or quoted name. Names contain no characters that quotes would escape."""
    text = text.strip()
    return text[1:-1] if text[:1] in ("'", '"') and text[-1:] == text[:1] else text
