"""For each deed that is done to the second step of a sign-in a request that does it: see `audited`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.builder.audited import Act, does, membership, short
from tests.builder.audited_runs import SCENARIOS
from tests.builder.conftest import World
from tests.factories import PASSWORD, Caller, totp

__all__ = ["SCENARIOS", "turn_on"]


def turn_on(caller: Caller) -> tuple[str, list[str]]:
    """Give whoever is signed in here a second factor; its key, and the recovery codes."""
    offered = caller.post("/me/second-factor/offer")
    assert offered.status == 200, offered.body
    key = str(offered.body["key"])
    made = caller.post("/me/second-factor", _first(offered.body, key))
    assert made.status == 201, made.body
    return key, list(made.body["codes"])


def _first(offered: dict[str, Any], key: str) -> dict[str, str]:
    return {"offer": offered["offer"], "code": totp(key, datetime.now(UTC)), "password": PASSWORD}


@does("factor.turned_on")
def _(world: World) -> Act:
    offered = world.as_vera.post("/me/second-factor/offer").body
    return Act(world.as_vera, "POST", "/me/second-factor", _first(offered, offered["key"]), 201)


def _proof(world: World) -> dict[str, str]:
    return {"password": PASSWORD, "code": turn_on(world.as_vera)[1][0]}


short("factor.turned_off", lambda world: Act(world.as_vera, "POST", "/me/second-factor/off", _proof(world), 204))
short("factor.codes_made", lambda world: Act(world.as_vera, "POST", "/me/second-factor/codes", _proof(world), 201))


@does("member.factor_removed")
def _(world: World) -> Act:
    turn_on(world.as_vera)
    here = f"{world.here}/members/{membership(world, 'vera')}/second-factor"
    return Act(world.as_alice, "DELETE", here, status=204)
