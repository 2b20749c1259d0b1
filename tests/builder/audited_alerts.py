"""For each deed that is done to alerts a request that does it: see `audited`."""

from __future__ import annotations

from typing import Any

from tests.builder.audited import Act, short
from tests.builder.audited_things import SCENARIOS
from tests.builder.conftest import World

__all__ = ["SCENARIOS", "channel", "hook", "rule_body"]


def hook(world: World) -> str:
    """A chat's connection; its id."""
    fields = {"address": "https://hooks.slack.com/services/T0/B0/secret"}
    body = {"kind": "alert_hook", "name": "Ops chat", "fields": fields}
    made = world.as_alice.post(f"{world.here}/connections", body)
    assert made.status == 201, made.body
    return str(made.body["id"])


def channel(world: World, name: str = "Ops") -> str:
    made = world.as_alice.post(f"{world.here}/alerts/channels", {"name": name, "hook_id": hook(world)})
    assert made.status == 201, made.body
    return str(made.body["id"])


def rule_body(world: World, **more: Any) -> dict[str, Any]:
    return {"kind": "failed_runs", "channels": [channel(world)], "limit": 0, **more}


def rule(world: World) -> tuple[str, dict[str, Any]]:
    body = rule_body(world)
    made = world.as_alice.post(f"{world.here}/alerts/rules", body)
    assert made.status == 201, made.body
    return f"{world.here}/alerts/rules/{made.body['id']}", body


def changed(world: World) -> Act:
    here, body = rule(world)
    return Act(world.as_alice, "PUT", here, {**body, "limit": 3})


short(
    "alert_rule.created",
    lambda world: Act(world.as_alice, "POST", f"{world.here}/alerts/rules", rule_body(world), 201),
)
short("alert_rule.changed", changed)
short("alert_rule.removed", lambda world: Act(world.as_alice, "DELETE", rule(world)[0], status=204))
short(
    "alert_channel.created",
    lambda world: Act(
        world.as_alice, "POST", f"{world.here}/alerts/channels", {"name": "Ops", "hook_id": hook(world)}, 201
    ),
)


def changed_channel(world: World) -> Act:
    made = channel(world)
    chats = world.as_alice.get(f"{world.here}/alerts").body["connections"]
    body = {"name": "Operations", "hook_id": chats[0]["id"]}
    return Act(world.as_alice, "PUT", f"{world.here}/alerts/channels/{made}", body)


short("alert_channel.changed", changed_channel)
short(
    "alert_channel.removed",
    lambda world: Act(world.as_alice, "DELETE", f"{world.here}/alerts/channels/{channel(world)}", status=204),
)
short(
    "alert_channel.tested",
    lambda world: Act(world.as_alice, "POST", f"{world.here}/alerts/channels/{channel(world)}/test", {}),
)
