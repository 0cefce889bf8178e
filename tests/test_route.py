"""Where calls go, once every primary has the credentials of every cluster."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache

import pytest

from meshc.commands.compiling import compiled_unrendered
from meshc.commands.opened import Opened
from meshc.mesh.exports import Export
from meshc.pipeline import Compiled
from meshc.plan.ir import ClusterPlan
from meshc.plan.needs import waiting_for
from meshc.plan.route import Route, route_to
from meshc.plan.routes import routes
from support.paths import ROOT

DIRECT = "its pods directly"
WEST, WEST_2 = "203.0.113.8:15443", "203.0.113.9:443"
NO_GATEWAY = "its network has no gateway in mesh.yaml, so callers are given addresses that don't lead there"
HEADLESS = "the Service is headless, and pods of another network have no address here (istio#38327)"
NO_TLS = "its pods don't speak mutual TLS, and gateways pass nothing else on"


@cache
def mesh() -> Compiled:
    return compiled_unrendered(Opened(ROOT / "tests/cases/commands/path-of-a-call/mesh.yaml"))


def route(caller: str, name: str, pending: Collection[str] = (), lost: Collection[str] = ()) -> Route:
    compiled = mesh()
    export = next(one for one in compiled.exports if one.name == name)
    return route_to(compiled.plan, compiled.plan.cluster(caller), export, pending, lost)


def ways(found: Route) -> dict[str, str]:
    return {end.cluster: end.why or ", ".join(end.gateways) or DIRECT for end in found.ends}


@pytest.mark.parametrize(
    ("caller", "name", "expected"),
    [
        ("east", "cart", {"west": WEST, "west-2": WEST_2, "south": NO_GATEWAY}),
        ("west", "cart", {"west": DIRECT, "west-2": DIRECT, "south": NO_GATEWAY}),
        ("west-2", "cart", {"west-2": DIRECT, "west": DIRECT, "south": NO_GATEWAY}),
        ("south", "cart", {"south": DIRECT, "west": WEST, "west-2": WEST_2}),
        ("east", "db", {"east": DIRECT}),
        ("west", "old", {"west-2": DIRECT}),
        ("east", "old", {"west-2": NO_TLS}),
        ("south", "old", {"west-2": NO_TLS}),
        ("south", "db", {"east": HEADLESS}),
        ("west", "db", {"east": HEADLESS}),
    ],
)
def test_the_ways_to_a_service(caller: str, name: str, expected: dict[str, str]) -> None:
    found = route(caller, name)

    assert ways(found) == expected
    assert list(ways(found)) == list(expected)
    assert bool(found.why) == (not any(way.startswith(("203", DIRECT)) for way in expected.values()))


def test_a_cluster_that_is_lost_answers_no_more() -> None:
    found = route("east", "cart", lost=["west"])

    assert ways(found) == {
        "west": "the cluster is lost",
        "west-2": WEST_2,
        "south": NO_GATEWAY,
    }
    assert [remark.endswith("unless a DestinationRule has outlierDetection") for remark in found.remarks] == [True]
    assert route("east", "cart").remarks != found.remarks
    assert route("west-2", "cart", lost=["west"]).remarks[0].startswith("the control plane in west is lost")
    assert route("west", "old", lost=["west-2"]).why == "no cluster that runs it can be reached"


def test_a_name_that_does_not_resolve_has_endpoints_all_the_same() -> None:
    """istiod tells every sidecar of every Service; the name is what a copy is for."""
    compiled = mesh()
    export = next(one for one in compiled.exports if one.name == "old")
    found = route_to(compiled.plan, compiled.plan.cluster("west"), replace(export, clients=()))

    assert ways(found) == {"west-2": DIRECT}
    assert found.why.startswith("the name doesn't resolve there")
    assert "ISTIO_META_DNS_CAPTURE" in found.remarks[-1]


def test_credentials_are_missing_in_one_primary() -> None:
    pending = [waiting_for("west-2", "east")]

    assert ways(route("east", "cart", pending))["west-2"] == "east has no credentials for it yet"
    assert ways(route("south", "cart", pending))["west-2"] == "east has no credentials for it yet"
    assert ways(route("west", "cart", pending))["west-2"] == DIRECT


def test_what_is_said_of_those_who_answer() -> None:
    (end,) = route("west", "old").ends
    several, one = route("south", "cart"), route("east", "db")

    assert (end.transport, end.signed_by) == ("plain text", "the external CA")
    assert [remark[:16] for remark in several.remarks] == ["calls are spread"]
    assert one.remarks == ()
    assert one.ends[0].transport == "mutual TLS"


@pytest.mark.parametrize("pending", [(), (waiting_for("west-2", "west"), waiting_for("west", "east"))])
def test_all_routes_at_once_are_those_of_each_call(pending: Collection[str]) -> None:
    """With and without credentials that are missing, and after the loss of any other cluster."""
    compiled = mesh()
    plan = compiled.plan
    found = routes(plan, compiled.exports, pending, 1000)

    def call(caller: ClusterPlan, export: Export, lost: Collection[str] = ()) -> Route:
        return replace(route_to(plan, caller, export, pending, lost), caller="", host="")

    for export, row in zip(compiled.exports, found.at, strict=True):
        for caller, number in zip(plan.clusters, row, strict=True):
            assert found.found[number] == call(caller, export)
            for lost in (one.name for one in plan.clusters if one.name != caller.name):
                after = found.losses.get((number, lost), number)
                assert found.found[after] == call(caller, export, [lost])
    assert routes(plan, compiled.exports, pending, 1).losses == {}
