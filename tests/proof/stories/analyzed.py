"""istioctl looks at output/ as a person or CI would: nothing to complain of."""

from __future__ import annotations

from pathlib import Path

from proof import programs
from proof.running import FailedError, run
from proof.world import World

_SAMPLE = Path(__file__).parents[3] / "output"
_FAULTY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: faulty, namespace: shop}
spec:
  selector: {istio: nobody}
  servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: ["*"]}]
"""


def tell(world: World) -> None:
    istioctl = programs.find(programs.ISTIOCTL, "istioctl")
    folders = [
        each
        for output in (world.mesh.folder / "output", _SAMPLE)
        for each in sorted(output.iterdir())
        if each.is_dir() and not each.name.startswith("_")
    ]
    for folder in folders:
        said = run(istioctl, "analyze", "--use-kube=false", folder)
        if "No validation issues found" not in said:
            raise FailedError(f"istioctl analyze {folder.name}: {said}")
        run(istioctl, "validate", "-f", folder)
    faulty = world.scratch / "faulty.yaml"
    faulty.write_text(_FAULTY)
    try:
        said = run(istioctl, "analyze", "--use-kube=false", faulty)
    except FailedError as error:
        said = str(error)
    if "No validation issues found" in said:
        raise FailedError("istioctl analyze finds nothing at all")
    world.saw(f"{len(folders)} clusters without a finding of istioctl; a fault made on purpose is found")
