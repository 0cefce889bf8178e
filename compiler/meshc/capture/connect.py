"""Connects to the API servers of kubeconfig contexts, by the Kubernetes client.

It is the only importer of that client, which reads kubeconfigs, logs in (exec, OIDC, in-cluster) and supports proxies.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from meshc.capture.ask import Api
from meshc.capture.contexts import FILE
from meshc.capture.trouble import AskError, Trouble
from meshc.disk.repository import LARGEST_INPUT
from meshc.errors import UsageError
from meshc.plain import short

IN_CLUSTER = "in-cluster"
"""This word in place of a context means the service account of the pod in which meshc runs."""


def servers(kubeconfig: Path | None) -> dict[str, str]:
    """The server of each context of the kubeconfig; empty if no kubeconfig can be read."""
    merger = _client().config.kube_config.KubeConfigMerger
    try:
        said = merger(_files(kubeconfig)).config.value
        clusters = {one["name"]: str(one["cluster"]["server"]) for one in said["clusters"]}
        return {one["name"]: clusters.get(one["context"]["cluster"], "") for one in said["contexts"]}
    except Exception:  # `connect` reports the same error later
        return {}


def connect(name: str, context: str, kubeconfig: Path | None, seconds: float) -> Api:
    """The API server of a context. Raises AskError if there is no such context, or if the login fails.

    Raises UsageError if the client isn't installed.
    """
    client = _client()
    try:
        if context == IN_CLUSTER:
            made = client.client.Configuration()
            client.config.load_incluster_config(client_configuration=made)
            api = client.client.ApiClient(made)
        else:
            api = client.config.new_client_from_config(_files(kubeconfig), context, persist_config=False)
    except Exception as error:  # a library parses the user's file, and may raise anything
        why = (
            short(str(error), 120)
            if isinstance(error, client.config.ConfigException | UsageError)
            else type(error).__name__
        )
        hint = f"--context {name}=CONTEXT, or a line in {FILE}; kubectl config get-contexts lists them"
        raise AskError(Trouble.CONTEXT, f'{name}: context "{short(context, 80)}" can\'t be used: {why}', hint) from None
    if not str(api.configuration.host).startswith("https://") or not api.configuration.verify_ssl:
        what = f"{name}: context \"{short(context, 80)}\" doesn't verify the server's certificate"
        raise AskError(
            Trouble.CONTEXT, what, "use https with certificate-authority-data, and without insecure-skip-tls-verify"
        )
    return Api(name, api, seconds)


def _files(kubeconfig: Path | None) -> str:
    """The files of KUBECONFIG. Raises UsageError for a file, such as a pipe or a device, that the library would read
    forever."""
    named = str(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
    for one in map(Path, filter(None, named.split(os.pathsep))):
        path = one.expanduser()
        if path.exists() and not (path.is_file() and path.stat().st_size <= LARGEST_INPUT):
            raise UsageError(f'"{one}" isn\'t a plain file of at most {LARGEST_INPUT >> 20} MiB')
    return named


def _client() -> Any:
    try:
        import kubernetes
        import kubernetes.config
    except ImportError:
        raise UsageError(
            "meshc needs the Kubernetes client to query live clusters, but it isn't installed",
            'pip install "meshc[live]"',
        ) from None
    return kubernetes
