"""The volumes of a pod: files of Secrets, ConfigMaps, tokens and the pod itself, all asked of the API server."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from proof.api import Body
from proof.cluster import Cluster

_EVERY = 2.0  # seconds between two looks for changes
_OPTIONAL: Mapping[str, bytes] = {}


class Volumes:
    """The folders of a pod's volumes. What the API server doesn't have yet is missing, unless it is optional."""

    def __init__(self, cluster: Cluster, pod: Body, folder: Path) -> None:
        self._cluster, self._pod, self._folder = cluster, pod, folder
        self._namespace = str(pod["metadata"]["namespace"])
        self._seen: dict[str, Mapping[str, bytes]] = {}
        self._tokens: dict[tuple[str, str], tuple[float, bytes]] = {}
        self._next = 0.0

    def mounts(self, container: Body) -> list[tuple[Path, str]]:
        """Where the folder of each volume goes in the container."""
        return [
            (self._folder / mount["name"] / mount.get("subPath", ""), str(mount["mountPath"]))
            for mount in container.get("volumeMounts") or []
        ]

    def missing(self, container: Body) -> list[str]:
        """The volumes that can't be filled yet."""
        wanted = {mount["name"] for mount in container.get("volumeMounts") or []}
        return [name for name in sorted(wanted - set(self._seen)) if not self._fill(name)]

    def refresh(self) -> None:
        """Looks for what changed since."""
        if time.monotonic() > self._next:
            self._next = time.monotonic() + _EVERY
            for name in list(self._seen):
                self._fill(name)

    def _fill(self, name: str) -> bool:
        (volume,) = (each for each in self._pod["spec"]["volumes"] if each["name"] == name)
        found = self._files(volume)
        if found is None:
            return False
        if self._seen.get(name) != found:
            _write(self._folder / name, found)
            self._seen[name] = found
        return True

    def _files(self, volume: Mapping[str, Any]) -> Mapping[str, bytes] | None:
        if "secret" in volume:
            return self._keys("secrets", volume["secret"]["secretName"], volume["secret"])
        if "configMap" in volume:
            return self._keys("configmaps", volume["configMap"]["name"], volume["configMap"])
        if "downwardAPI" in volume:
            return dict(self._downward(volume["downwardAPI"]))
        if "projected" in volume:
            return self._projected(volume["projected"]["sources"])
        return {}

    def _projected(self, sources: list[Mapping[str, Any]]) -> Mapping[str, bytes] | None:
        found: dict[str, bytes] = {}
        for source in sources:
            if "serviceAccountToken" in source:
                token = source["serviceAccountToken"]
                found[token["path"]] = self._token(token.get("audience") or "")
            elif "downwardAPI" in source:
                found |= self._downward(source["downwardAPI"])
            else:
                kind = "secrets" if "secret" in source else "configmaps"
                body = source["secret"] if "secret" in source else source["configMap"]
                part = self._keys(kind, body["name"], body)
                if part is None:
                    return None
                found |= part
        return found

    def _keys(self, kind: str, name: str, source: Mapping[str, Any]) -> Mapping[str, bytes] | None:
        body = self._cluster.api.get(f"/api/v1/namespaces/{self._namespace}/{kind}/{name}")
        if body is None:
            return _OPTIONAL if source.get("optional") else None
        data = body.get("data") or {}
        values = {key: base64.b64decode(value) if kind == "secrets" else value.encode() for key, value in data.items()}
        items = source.get("items")
        return {item["path"]: values[item["key"]] for item in items if item["key"] in values} if items else values

    def _downward(self, source: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
        for item in source.get("items") or []:
            if "fieldRef" in item:
                yield item["path"], self._field(item["fieldRef"]["fieldPath"]).encode()
            else:
                yield item["path"], b"2"

    def _field(self, path: str) -> str:
        metadata = self._pod["metadata"]
        kind = path.removeprefix("metadata.")
        if kind in ("labels", "annotations"):
            pairs = metadata.get(kind) or {}
            return "\n".join(f'{key}="{value}"' for key, value in sorted(pairs.items()))
        return str(metadata[kind])

    def _token(self, audience: str) -> bytes:
        account = self._pod["spec"]["serviceAccountName"]
        until, token = self._tokens.get((account, audience), (0.0, b""))
        if time.monotonic() > until:
            token = self._cluster.api.token(self._namespace, account, audience or None).encode()
            self._tokens[account, audience] = time.monotonic() + 3600, token
        return token


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """As a kubelet does: links lead over ..data to the files, and one rename changes all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    if not files:
        return
    data = folder / f"..{time.time_ns()}"
    for path, content in files.items():
        target = data / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    before = (folder / "..data").readlink() if (folder / "..data").is_symlink() else None
    (folder / "..next").symlink_to(data.name)
    (folder / "..next").rename(folder / "..data")
    for top in {Path(path).parts[0] for path in files}:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(Path("..data", top))
    if before is not None:
        shutil.rmtree(folder / before)
