"""Writes a shell script that dumps all kinds of `kinds`.

Each kind has its own file, which is empty if there is no object. No secret is written to disk: the script writes only
the certificates of cacerts, and only the cluster and server of a remote secret.
"""

from __future__ import annotations

import shlex

from meshc.capture.kinds import KINDS, KUBEADM
from meshc.plan.istiod_values import KUBECONFIG
from meshc.trust.proofs import SERVER

_SCRIPT = r"""#!/bin/sh
# Dumps clusters for meshc adopt, each into dumps/CONTEXT/: sh dump.sh CONTEXT...
# It changes nothing. From Istio's Secrets it writes only certificates and servers; keys and tokens stay in the cluster.
set -eu
istio=@NAMESPACE@
for context; do
  folder=dumps/$(printf %s "$context" | tr '/:' '--')
  mkdir -p "$folder"
  k() { kubectl --context "$context" "$@"; }
  save() { # FILE KIND OPTION...; an error leaves no file: what isn't known must not look as if there were none
    file=$folder/$1.yaml
    shift
    if ! printf '%s\n' "$known" | grep -qx "$1"; then
      echo "# this API server has no $1" > "$file"
    elif k get "$@" -o yaml > "$file.part"; then
      mv "$file.part" "$file"
    else
      rm -f "$file.part"
    fi
  }
  known=$(k api-resources --no-headers -o name)
  k version -o yaml 2> /dev/null > "$folder/version.yaml"
  for kind in @EVERYWHERE@; do
    save "$kind" "$kind" -A
  done
  for kind in @ISTIO@; do
    save "$kind" "$kind" -n "$istio"
  done
  save @KUBEADM@ configmaps @KUBEADM@ -n kube-system --ignore-not-found
  if text=$(k get secret cacerts -n "$istio" --ignore-not-found -o go-template='@PUBLIC@'); then
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: cacerts, namespace: %s}\ndata:\n%s\n' \
      "$istio" "$text" > "$folder/cacerts.yaml"
  fi
  servers() { # FILE LABELS OPTION...
    file=$folder/$1.yaml
    labels=$2
    shift 2
    if text=$(k get secret -n "$istio" "$@" -o go-template='@TEXT@'); then
      printf '%s\n' "$text" | awk -v place="namespace: $istio, labels: {$labels}" '@SERVERS@' > "$file"
    fi
  }
  servers @REMOTES@ 'istio/multiCluster: "true"' --selector istio/multiCluster=true
  servers @KUBECONFIG@ '' --field-selector metadata.name=@KUBECONFIG@
done
"""
_PUBLIC = (
    '{{range $k, $v := .data}}{{if or (eq $k "ca-cert.pem") (eq $k "cert-chain.pem") (eq $k "root-cert.pem")'
    ' (eq $k "tls.crt") (eq $k "ca.crt")}}  {{$k}}: {{$v}}{{"\\n"}}{{end}}{{end}}'
)
"""The certificates of a cacerts, one on each line."""
_TEXT = (
    '{{range .items}}{{$n := .metadata.name}}{{range $k, $v := .data}}{{"\\n"}}@ {{$n}} {{$k}}{{"\\n"}}'
    '{{base64decode $v}}{{end}}{{end}}{{"\\n"}}'
)
"""The kubeconfigs in Secrets, for the next filter only: a line with the name of the Secret, then the text."""
_SERVERS = r"""
      function out() {
        if (name == "") return
        printf "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, %s, ", name, place
        printf "annotations: {@KEY@: \"%s\"}}\nstringData: {\"%s\": \"\"}\n", server, key
        server = ""
      }
      /^@ / { out(); name = $2; key = $3 }
      match($0, /server"?: *"?https:[^", }]*/) {
        server = substr($0, RSTART, RLENGTH)
        sub(/^server"?: *"?/, "", server)
      }
      END { out() }
    """.replace("@KEY@", SERVER)
"""Passes on only the server of each kubeconfig, in the form in which meshc records it beside a remote secret."""
REMOTES = "remote-secrets"
"""The file of the remote secrets in a dump."""


def dump_script(namespace: str) -> str:
    """A script for any POSIX shell with kubectl and awk. `namespace` is Istio's."""
    everywhere = [kind.word for kind in KINDS if kind.where == "everywhere"]
    filled = {
        "NAMESPACE": shlex.quote(namespace),
        "EVERYWHERE": _wrapped(everywhere),
        "ISTIO": _wrapped([kind.word for kind in KINDS if kind.where == "istio"]),
        "KUBEADM": KUBEADM,
        "PUBLIC": _PUBLIC,
        "TEXT": _TEXT,
        "SERVERS": _SERVERS,
        "REMOTES": REMOTES,
        "KUBECONFIG": KUBECONFIG,
    }
    script = _SCRIPT
    for name, text in filled.items():
        script = script.replace(f"@{name}@", text)
    return script


def _wrapped(words: list[str]) -> str:
    """A few words on each line, so that people can read the script before they run it."""
    return " \\\n    ".join(" ".join(words[at : at + 3]) for at in range(0, len(words), 3))
