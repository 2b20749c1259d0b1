from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from django.db import migrations, models

_UNITS = 10_000
#: So many questions are looked at together: each may hold much.
_PORTION = 200
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def fill(apps: Any, editor: Any) -> None:
    """What open questions are about; of those that do not say so, what their runs are worth. Closed ones are sorted by
    when they were asked alone."""
    alias = editor.connection.alias
    waiting = apps.get_model("store", "HumanTask").objects.using(alias).filter(status="open").order_by("pk")
    names: dict[Any, str] = {}
    last = None
    while True:
        rest = waiting if last is None else waiting.filter(pk__gt=last)
        tasks = list(rest.only("id", "spec", "run_id", "workspace_id")[:_PORTION])
        if not tasks:
            return
        _fill(apps, alias, tasks, names)
        last = tasks[-1].pk


def _fill(apps: Any, alias: str, tasks: list[Any], names: dict[Any, str]) -> None:
    silent = []
    for task in tasks:
        spec = json.loads(task.spec, parse_float=Decimal)
        task.worth, currency = _units(spec.get("amount")), str(spec.get("currency") or "").strip().upper()
        task.currency = currency if task.worth is not None and _CURRENCY.fullmatch(currency) else ""
        if task.worth is None:
            silent.append(task)
    runs, versions = (apps.get_model("store", name).objects.using(alias) for name in ("Run", "Version"))
    version_of = dict(runs.filter(pk__in={task.run_id for task in silent}).values_list("id", "version_id"))
    for version in set(version_of.values()) - set(names):
        graph = versions.filter(pk=version).values_list("graph", flat=True).first()
        names[version] = _first_amount(json.loads(graph) if graph else {})
    fields = apps.get_model("store", "RunField").objects.using(alias)
    about = {"workspace_id__in": {task.workspace_id for task in silent}, "name__in": set(names.values()) - {""}}
    said = fields.filter(**about, run_id__in=set(version_of), number__isnull=False)
    worth = {(run, name): (number, currency) for run, name, number, currency in said.values_list(
        "run_id", "name", "number", "currency"
    )}  # fmt: skip
    for task in silent:
        key = task.run_id, names.get(version_of.get(task.run_id), "")
        task.worth, code = worth.get(key, (None, ""))
        task.currency = code if _CURRENCY.fullmatch(code) else ""
    known = [task for task in tasks if task.worth is not None]
    apps.get_model("store", "HumanTask").objects.using(alias).bulk_update(known, ["worth", "currency"])


def _first_amount(graph: Any) -> str:
    said = graph.get("naming") or {}
    return next((one["name"] for one in said.get("fields") or () if one.get("kind") == "amount"), "")


def _units(found: Any) -> int | None:
    if isinstance(found, bool) or not isinstance(found, int | str | Decimal):
        return None
    if isinstance(found, str):
        if not _NUMBER.fullmatch(found.strip()):
            return None
        found = Decimal(found.strip())
    try:
        units = int((Decimal(found) * _UNITS).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return units if abs(units) < 2**63 else None


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0042_left_out_items"),
    ]

    operations = [
        migrations.AddField(
            model_name="humantask",
            name="currency",
            field=models.CharField(db_default="", default="", max_length=3),
        ),
        migrations.AddField(
            model_name="humantask",
            name="worth",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="humanvote",
            index=models.Index(fields=["voter", "at"], name="humanvote_of_voter"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
