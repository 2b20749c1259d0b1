from __future__ import annotations

import logging

from django.db import DatabaseError, migrations, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.expressions import CombinedExpression

from runtime.engine.naming import folded

logger = logging.getLogger(__name__)

LISTED = models.Q(
    ("parent_run_id__isnull", True),
    models.Q(("trigger_node", models.F("parent_node")), _negated=True),
    _connector="OR",
)
_PORTION = 2_000


def take_keys(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The business keys of the runs that there are; those of items stay where they are."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            """INSERT INTO store_runfield (workspace_id, name, run_id, shown, folded)
            SELECT workspace_id, 'key', id, business_key, lower(normalize(business_key, NFKC)) FROM store_run
            WHERE business_key IS NOT NULL AND (parent_run_id IS NULL OR trigger_node <> parent_node)
            ON CONFLICT DO NOTHING"""
        )
        return
    run, field = apps.get_model("store", "Run"), apps.get_model("store", "RunField")
    keyed = run.objects.filter(LISTED, business_key__isnull=False).order_by("id")
    last = None
    while True:
        some = list((keyed if last is None else keyed.filter(id__gt=last)).values_list("id", "workspace_id",
            "business_key")[:_PORTION])  # fmt: skip
        if not some:
            return
        last = some[-1][0]
        field.objects.bulk_create(
            field(workspace_id=workspace, name="key", run_id=run_id, shown=key, folded=folded(key))
            for run_id, workspace, key in some
        )


def suit(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What only PostgreSQL has: values in the key's own index, trigrams where they may be had, and tables that are
    looked after often enough for their indexes to answer by themselves."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'store_runfield'::regclass AND contype = 'p'"
        )
        (name,) = cursor.fetchone()
    schema_editor.execute(
        f'ALTER TABLE store_runfield DROP CONSTRAINT "{name}", ADD CONSTRAINT store_runfield_pkey '
        "PRIMARY KEY (workspace_id, name, run_id) INCLUDE (folded, number, currency)"
    )
    settings = "autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05"
    for table in ("store_run", "store_runfield"):
        schema_editor.execute(f"ALTER TABLE {table} SET ({settings}, autovacuum_analyze_scale_factor = 0.05)")
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(
                "CREATE INDEX runfield_trigrams ON store_runfield USING gin (folded gin_trgm_ops) "
                "WITH (gin_pending_list_limit = 512)"
            )
    except DatabaseError as error:
        logger.warning("Runs are searched without trigrams, which is slower with very many of them: %s", error)


def suit_no_more(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE store_run RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor, "
            "autovacuum_analyze_scale_factor)"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0028_figures"),
    ]

    operations = [
        migrations.CreateModel(
            name="RunField",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "workspace_id", "name", "run_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("name", models.CharField(max_length=32)),
                ("run_id", models.UUIDField()),
                ("shown", models.CharField(max_length=200)),
                ("folded", models.CharField(max_length=200)),
                ("number", models.BigIntegerField(null=True)),
                ("currency", models.CharField(db_default="", default="", max_length=3)),
            ],
        ),
        migrations.AddField(
            model_name="bulkretry",
            name="kind",
            field=models.CharField(db_default="retry", default="retry", max_length=8),
        ),
        migrations.AddField(
            model_name="bulkretryitem",
            name="new_run_id",
            field=models.UUIDField(null=True),
        ),
        migrations.RunPython(take_keys, migrations.RunPython.noop),
        migrations.RunPython(suit, suit_no_more),
        migrations.RemoveIndex(model_name="run", name="run_newest"),
        migrations.RemoveIndex(model_name="run", name="run_by_business_key"),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=LISTED,
                fields=["workspace_id", "-id"],
                include=("workflow_id", "version", "status", "mode", "started_by", "accepted_at", "finished_at"),
                name="run_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(
                    LISTED, models.Q(("status__in", ("accepted", "running", "completed")), _negated=True)
                ),
                fields=["workspace_id", "status", "-id"],
                name="run_by_status",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                models.F("workspace_id"),
                CombinedExpression(models.F("finished_at"), "-", models.F("accepted_at")),
                models.F("id"),
                condition=models.Q(LISTED, ("finished_at__isnull", False)),
                name="run_by_duration",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("business_key__isnull", False), ("parent_run_id__isnull", False)),
                fields=["workspace_id", "business_key"],
                name="run_item_by_key",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="runfield",
            index=models.Index(
                condition=models.Q(("number__isnull", False)),
                fields=["workspace_id", "name", "number", "run_id"],
                name="runfield_by_number",
            ),
        ),
    ]
