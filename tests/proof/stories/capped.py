"""An API server caps how long tokens live, as those of clouds do, and is started anew while requests flow."""

from __future__ import annotations

from proof.running import FailedError
from proof.stories.from_nothing import known
from proof.stories.membership import none_failed
from proof.world import World

_SEALED = "sealed/hub/remote-secret-edge-1.yaml"


def tell(world: World) -> None:
    mesh = world.mesh
    with world.stream("hub", "front", "web.shop") as counts:
        world.clusters["edge-1"].start_server("--service-account-max-token-expiration=2h")
        before = (mesh.folder / _SEALED).read_bytes()
        asked = ("capture", "credentials", "edge-1", "--rotate", "--replace", "--yes", "--duration")
        said = mesh.meshc(*asked, "90d", expect=(4, 5))
        if "grants one for 2 h" not in said:
            raise FailedError(f"capture doesn't say what the API server grants: {said}")
        if (mesh.folder / _SEALED).read_bytes() != before:
            raise FailedError("what was sealed has changed, though the token is capped")
        world.saw("a token of 90 days is granted for two hours: nothing is sealed")
        mesh.meshc(*asked, "2h")
        mesh.meshc("compile")
        world.apply("a token of two hours")
        known(world, "edge-1")
        told = mesh.meshc("doctor", expect=(0, 1))
        rows = [" ".join(line.split()) for line in told.splitlines() if "credentials" in line]
        if not any("end on" in row for row in rows):
            raise FailedError(f"doctor doesn't say when the token ends: {told}")
        world.saw(f"doctor: {'; '.join(rows)}")
        world.clusters["edge-1"].start_server()
        mesh.meshc("capture", "credentials", "edge-1", "--replace", "--yes")
        mesh.meshc("compile")
        world.apply("the token of a Secret again")
        mesh.meshc("doctor")
        world.saw("the token of a Secret again, which has no end: doctor has nothing to fix")
    none_failed(world, counts)
