"""ExternalSecrets: references into a store that an operator reads. Nothing secret is written, and no value is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from meshc.kube import SUBDOMAIN, Body
from meshc.seal.contract import Plain, SealError, Store, Target
from meshc.seal.form import check_plain, labels_and_annotations, template_data

_KINDS = ("SecretStore", "ClusterSecretStore")


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """An ExternalSecret that makes the whole Secret; public values stand in its template as text.

    The defaults of the CRD are written out, so that no tool sees a difference. Only the policy isn't the default but
    Merge: with Replace, a template that has data drops every key of the store. A Secret with public parts is a CA,
    which must stay if the store loses the key: otherwise istiod would sign with a root of its own. Any other Secret is
    deleted with the store's entry.

    `now` isn't needed. Raises SealError if the target has no store, or one that can't be.
    """
    check_plain(plain)
    public = template_data(plain)
    store = _checked(target.store)
    described = labels_and_annotations(plain)
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": plain.name, "namespace": plain.namespace},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": store.kind, "name": store.name},
            "target": {
                "name": plain.name,
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain" if public else "Delete",
                "template": {
                    "engineVersion": "v2",
                    "mergePolicy": "Merge",
                    **({"metadata": described} if described else {}),
                    **({"data": public} if public else {}),
                },
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": store.key, "property": key}} for key in sorted(plain.hidden)
            ],
        },
    }


def blobs(sealed: Body) -> Mapping[str, str]:
    """Nothing: the ciphertext is the store's."""
    return {}


def _checked(store: Store | None) -> Store:
    if store is None:
        raise SealError("there is no store to refer to")
    if store.kind not in _KINDS:
        raise SealError(f"the store's kind isn't {' or '.join(_KINDS)}")
    if not SUBDOMAIN.fullmatch(store.name):
        raise SealError("the store's name isn't one that Kubernetes takes")
    if not re.fullmatch(r"[!-~]+", store.key) or "{{" in store.key:
        raise SealError("the path in the store is empty, or holds spaces, templates or letters outside ASCII")
    return store
