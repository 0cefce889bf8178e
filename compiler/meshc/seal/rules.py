"""rules turns the recipients of each cluster into the .sops.yaml by which people's own sops seals as meshc does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from meshc.seal.age import check_recipients
from meshc.yamltext.write import write

MADE = b"# Made by meshc from mesh.yaml. Do not edit: its sealing commands overwrite it.\n"
"""The first line of a .sops.yaml that is meshc's own."""

_SECRETS = ((r"cacerts\.yaml", r"^ca-key\.pem$"), (r"remote-secret-.*", "^data$"))
"""The sealed files of a cluster, and which of their values `seal.sops` hides."""


def rules(recipients: Mapping[str, Sequence[str]], folder: str) -> bytes:
    """A .sops.yaml for the folder that `folder`, the sealed one, is relative to.

    `recipients` are those of each cluster. A file that no rule is for isn't encrypted by sops at all, which is an
    error there. Raises SealError if they aren't age recipients.
    """
    found = []
    below = posixpath.normpath(folder)
    for cluster, keys in sorted(recipients.items()):
        check_recipients(keys)
        path = cluster if below == "." else f"{below}/{cluster}"
        found += [
            {
                "path_regex": f"^{_escaped(path)}/{file}$",
                "encrypted_regex": encrypted,
                "mac_only_encrypted": True,
                "age": ",".join(sorted(keys)),
            }
            for file, encrypted in _SECRETS
        ]
    return MADE + write({"creation_rules": found}).encode()


def _escaped(path: str) -> str:
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", path)
