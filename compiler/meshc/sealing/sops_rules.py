"""Writes the .sops.yaml with which a person's sops encrypts for the same recipients as meshc."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from meshc.sealedtext import RECIPIENTS, service_of
from meshc.sealing.age import check_recipients
from meshc.yamltext.read import read
from meshc.yamltext.write import write

MADE = b"# Made by meshc from mesh.yaml. Do not edit: its sealing commands overwrite it.\n"
"""The first line of a .sops.yaml that meshc wrote."""

_SECRETS = ((r"cacerts\.yaml", r"^ca-key\.pem$"), (r"remote-secret-.*", "^data$"))
"""The sealed files of a cluster, and which of their values `seal.sops` hides."""
KUBECONFIG, KUBECONFIGS = (r"istio-kubeconfig\.yaml", "^data$"), (r"remote-kubeconfigs\.yaml", "^data$")
"""One more file of an external control plane, and of a primary that mounts the credentials of other clusters."""


_CALLED = {"azure_kv": "azure_keyvault", "hc_vault": "hc_vault_transit_uri"}
"""The name of a service's keys in a rule of sops, if it differs from the name in a sealed file."""


def rules(
    recipients: Mapping[str, Sequence[str]],
    folder: str,
    more: Mapping[str, Sequence[tuple[str, str]]] = MappingProxyType({}),
) -> bytes:
    """A .sops.yaml for mesh.yaml's folder; `folder` is the path of the sealed files from there.

    `recipients` are the recipients of each cluster, `more` its additional files. If no rule matches a file, sops fails.
    Raises SealError for invalid age recipients.
    """
    found = []
    for cluster, keys in sorted(recipients.items()):
        by_service = {service: [one for one in keys if service_of(one) == service] for service in RECIPIENTS}
        unknown = [one for one in keys if not service_of(one)]
        if by_service["age"] or unknown or not keys:
            check_recipients([*by_service["age"], *unknown])
        found += [
            {
                "path_regex": _regex(folder, cluster, file),
                "encrypted_regex": encrypted,
                "mac_only_encrypted": True,
                **{_CALLED.get(name, name): ",".join(sorted(mine)) for name, mine in by_service.items() if mine},
            }
            for file, encrypted in (*_SECRETS, *more.get(cluster, ()))
        ]
    return MADE + write({"creation_rules": found}).encode()


def recipients_in(data: bytes) -> dict[str, set[str]]:
    """The recipients of each cluster in a .sops.yaml that `rules` made, whatever the folder of sealed files was
    then."""
    documents, _ = read(data, "")
    body = documents[0].data if documents else None
    rows = body.get("creation_rules") if isinstance(body, dict) else None
    found: dict[str, set[str]] = {}
    for row in rows if isinstance(rows, tuple) else ():
        match = _RULE.fullmatch(str(row.get("path_regex", ""))) if isinstance(row, dict) else None
        if match:
            listed = [str(row.get(_CALLED.get(service, service), "")) for service in RECIPIENTS]
            found.setdefault(match[1], set()).update(one for keys in listed for one in keys.split(",") if one)
    return found


_RULE = re.compile(r"\^(?:.*/)?([a-z0-9-]+)/(?:cacerts|remote-secret|remote-kubeconfigs|istio-kubeconfig)[^/]*\$")


def _regex(folder: str, cluster: str, file: str) -> str:
    below = posixpath.normpath(folder)
    return f"^{_escaped(cluster if below == '.' else f'{below}/{cluster}')}/{file}$"


def _escaped(path: str) -> str:
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", path)
