"""Every kind of file that a command reads, changed by chance: in its bytes, in what it says, in what stands there.

No traceback, no long wait, no memory filled, nothing written on an error, and a word about which file it is.
MESHC_TEST_LONG=1 runs it long. MESHC_FUZZ=COUNT tells how many mutations of each kind, MESHC_FUZZ=KIND:NUMBER runs one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.fork_server import import_meshc
from support.fuzzed_worlds import make_worlds
from support.fuzzing import Kind, fuzz
from support.mutations import of_bytes, of_form, of_pem, of_tgz, of_yaml
from support.tools import find_helm, find_tool, tries

pytestmark = pytest.mark.thorough

WISHED = os.environ.get("MESHC_FUZZ", "")
COUNT = int(WISHED) if WISHED.isdigit() else 1000 if os.environ.get("MESHC_TEST_LONG") == "1" else tries(4)
FIRST = int(os.environ.get("MESHC_FUZZ_FIRST", "0"))

SEAL = "secrets seal ../home/cacerts.yaml -c hub --replace --accept-recipients"
GIVEN = "secrets seal ../home/given.yaml --remote edge-1 --replace --accept-recipients"
SCAN = "secrets scan {victim}"
REWRAP = "secrets rewrap --identity ../home/identity --accept-recipients"
PASSWORD = "ca issue --root-key ../home/root.key --password-file ../home/password --force"
INPUT = r"the (input|kubeconfig|Secret|cacerts|private key|CA|certificate|key)|these credentials|\.pem"
KINDS = (
    Kind("mesh", "classic", "classic/mesh.yaml", of_yaml, ("validate", "validate", "plan", "graph", "next", "check")),
    Kind("mesh of istiod", "mesh", "mesh/mesh.yaml", of_yaml, ("validate", "validate", "diff --format json")),
    Kind("mesh, its bytes", "classic", "classic/mesh.yaml", of_bytes, ("validate", "plan", "ca status", "compile")),
    Kind("parts", "parts", "parts/[ct]*/**/*.yaml", of_yaml, ("validate", "plan", "check", "next", "secrets status")),
    Kind(
        "parts, their form", "parts", "parts/[ct]*/**/*.yaml", of_form, ("validate", "fmt --check", "diff", "compile")
    ),
    Kind("inventories", "parts", "parts/inventory/*.yaml", of_yaml, ("validate", "plan", "check", "graph")),
    Kind("inventories, their form", "parts", "parts/inventory/*.yaml", of_form, ("validate", "diff", "ca status")),
    Kind("what includes them", "parts", "parts/mesh.yaml", of_yaml, ("validate", "plan", "validate --fix --check")),
    Kind("manifests", "classic", "classic/apps/*.yaml", of_yaml, ("validate", "validate", "compile", "secrets scan")),
    Kind("kustomizations", "mesh", "mesh/apps/*/kustomization.yaml", of_yaml, ("validate",)),
    Kind("files of kustomizations", "mesh", "mesh/apps/bookstore/*.yaml", of_yaml, ("validate",)),
    Kind("patches", "mesh", "mesh/patches/**/*.yaml", of_yaml, ("validate", "compile")),
    Kind("resources", "mesh", "mesh/extra/**/*.yaml", of_yaml, ("validate", "compile")),
    Kind("sops files", "classic", "classic/sealed/**/*.yaml", of_yaml, ("validate", "secrets status", "compile")),
    Kind("sops files to open", "own", "own/sealed/**/*.yaml", of_yaml, (REWRAP, REWRAP, "secrets scan", "ca status")),
    Kind("SealedSecrets", "sealed", "sealed/sealed/**/*.yaml", of_yaml, ("validate", "secrets status", "compile")),
    Kind("certificates", "classic", "classic/certificates/**/*.pem", of_pem, ("validate", "ca status", "check")),
    Kind("rules of sops", "own", "own/.sops.yaml", of_yaml, (REWRAP, SEAL)),
    Kind("dumps", "adopt", "adopt/dumps/*/*.yaml", of_yaml, ("adopt --from dumps", "adopt --from dumps --diff")),
    Kind("kubeconfigs to seal", "own", "home/given.yaml", of_yaml, (GIVEN, GIVEN, SCAN), told_as=INPUT),
    Kind("Secrets to seal", "own", "home/cacerts.yaml", of_yaml, (SEAL,), told_as=INPUT),
    Kind(
        "kubeconfigs to ask with",
        "classic",
        "home/config",
        of_yaml,
        (
            "capture facts main --timeout 1",
            "doctor main --timeout 1",
            "capture facts --timeout 1 --context main=branch main",
        ),
        told_as="main",
    ),
    Kind(
        "contexts", "classic", "home/meshc/contexts.yaml", of_yaml, ("capture facts main --timeout 1",), told_as="main"
    ),
    Kind(
        "CAs to import",
        "own",
        "home/ca/*.pem",
        of_pem,
        ("ca import hub --from ../home/ca",),
        told_as=f"{INPUT}|a certificate and its key",
    ),
    Kind(
        "roots and their keys",
        "own",
        "home/ro*.key",
        of_pem,
        (
            "ca issue --root-key ../home/root.key --force --accept-recipients",
            "ca rotate-root --root-key ../home/root.key",
        ),
        told_as=INPUT,
    ),
    Kind(
        "new roots",
        "own",
        "home/ca/root-cert.pem",
        of_pem,
        ("ca rotate-root --new-root {victim}",),
        told_as="the new root|the root of the mesh",
    ),
    Kind("identities", "own", "home/identity", of_bytes, (REWRAP,), told_as="age identit"),
    Kind("passwords", "own", "home/password", of_bytes, (PASSWORD,), told_as=INPUT),
    Kind("archives of charts", "charts", "charts/vendor/*.tgz", of_tgz, ("vendor", "validate", "validate")),
    Kind("their lock", "charts", "charts/charts.lock.yaml", of_yaml, ("validate", "vendor", "compile")),
    Kind("overlays", "classic", "classic/overlays/**/*.yaml", of_yaml, ("check --no-cache", "compile", "check --diff")),
    Kind(
        "output",
        "classic",
        "classic/output/**/*.yaml",
        of_yaml,
        ("check --diff", "diff", "secrets scan output", "next"),
    ),
    Kind(
        "output of another",
        "classic",
        "against/output/**/*.yaml",
        of_yaml,
        ("diff --against ../against", "check --against ../against"),
    ),
    Kind(
        "the cache",
        "classic",
        "classic/.git/meshc/**/[!l]*",
        of_bytes,
        ("check", "compile", "validate"),
        replaced=False,
    ),
    Kind(
        "journals", "journal", "journal/.git/meshc/*/journal.json", of_yaml, ("check", "compile"), told_as="interrupted"
    ),
    Kind("files to inject", "classic", "home/app.yaml", of_yaml, ("inject {victim} --cluster branch",)),
    Kind("files to scan", "classic", "home/**/*.[py]*[ml]", of_bytes, ("secrets scan {victim}",)),
)


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    find_tool("kubectl")
    find_helm()
    import_meshc()  # once, not in each child
    top = tmp_path_factory.mktemp("worlds")
    make_worlds(top)
    return top


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_change_of_a_file_trips_a_command(kind: Kind, top: Path) -> None:
    name, _, number = WISHED.rpartition(":")
    if name and name != kind.name:
        pytest.skip("another kind is wished for")
    tally = fuzz(kind, top, [int(number)] if name else range(FIRST, FIRST + COUNT))
    sys.stdout.write(f"{kind.name}: {tally}\n")

    assert tally.faults == []
    assert tally.runs
