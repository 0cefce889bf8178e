"""Gives the files of a kustomization outside mesh.yaml's folder paths inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def grounded(files: Mapping[str, bytes], folder: str) -> tuple[dict[str, bytes], str]:
    """The same files with paths without `..`, because inputs may be above mesh.yaml's folder, inside the repository."""
    up = max((path.split("/").count("..") for path in (*files, folder)), default=0)
    below = [f"up{number}" for number in range(up)]

    def ground(path: str) -> str:
        parts = path.split("/")
        climbs = parts.count("..")
        return "/".join([*below[: up - climbs], *parts[climbs:]])

    return {ground(path): data for path, data in files.items()}, ground(folder)
