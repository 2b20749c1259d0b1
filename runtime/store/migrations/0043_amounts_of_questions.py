from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from django.db import migrations, models

_UNITS = 10_000
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def fill(apps: Any, editor: Any) -> None:
    """What open questions are about; of those that do not say so, what their runs are worth. Closed ones are sorted by
    when they were asked alone."""
    model, alias = apps.get_model("store", "HumanTask"), editor.connection.alias
    runs, fields = apps.get_model("store", "Run"), apps.get_model("store", "RunField")
    versions = apps.get_model("store", "Version")
    names: dict[Any, str] = {}
    for task in model.objects.using(alias).filter(status="open").only("id", "spec", "run_id", "workspace_id"):
        spec = json.loads(task.spec, parse_float=Decimal)
        number, currency = _units(spec.get("amount")), str(spec.get("currency") or "").strip().upper()
        if number is None:
            version = runs.objects.using(alias).filter(pk=task.run_id).values_list("version_id", flat=True).first()
            if version not in names:
                graph = versions.objects.using(alias).filter(pk=version).values_list("graph", flat=True).first()
                names[version] = _first_amount(json.loads(graph) if graph else {})
            about = {"workspace_id": task.workspace_id, "name": names[version], "run_id": task.run_id}
            found = fields.objects.using(alias).filter(**about).values_list("number", "currency").first()
            number, currency = found or (None, "")
        if number is not None:
            code = currency if _CURRENCY.fullmatch(currency) else ""
            model.objects.using(alias).filter(pk=task.pk).update(worth=number, currency=code)


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
