from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0026_review"),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("connection_id", models.UUIDField(primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField(db_index=True)),
                ("name", models.CharField(max_length=120)),
                ("calls", models.PositiveIntegerField(null=True)),
                ("period_ms", models.PositiveIntegerField(null=True)),
                ("at_once", models.PositiveIntegerField(null=True)),
                ("used", models.TextField(default="")),
                ("clock", models.BigIntegerField(default=0)),
                ("paused_until", models.BigIntegerField(null=True)),
                ("paused_status", models.PositiveSmallIntegerField(null=True)),
                ("next_at", models.BigIntegerField(null=True)),
                ("changed_at", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="BudgetTurn",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("connection_id", models.UUIDField()),
                ("workflow_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("node_id", models.CharField(max_length=64)),
                ("generation", models.PositiveIntegerField()),
                ("place", models.PositiveIntegerField(default=0)),
                ("state", models.CharField(max_length=8)),
                ("rank", models.BigIntegerField()),
                ("asked_at", models.BigIntegerField()),
                ("given_at", models.BigIntegerField(null=True)),
                ("owner", models.CharField(max_length=64, null=True)),
                ("token", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PassedOver",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "node_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("node_id", models.CharField(max_length=64)),
                ("number", models.BigIntegerField()),
                ("place", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=200)),
                ("done_by", models.UUIDField(null=True)),
                ("done_at", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="itemkey",
            name="item_index",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="itemkey",
            name="workflow_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="itemkey",
            index=models.Index(
                condition=models.Q(("workflow_id__isnull", False)),
                fields=["workflow_id", "node_id", "key"],
                name="itemkey_of_workflow",
            ),
        ),
        migrations.AddIndex(
            model_name="budget",
            index=models.Index(condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="budget_due"),
        ),
        migrations.AddIndex(
            model_name="budgetturn",
            index=models.Index(fields=["connection_id", "state", "rank", "id"], name="turn_next"),
        ),
        migrations.AddIndex(
            model_name="budgetturn",
            index=models.Index(fields=["connection_id", "workflow_id", "rank"], name="turn_of_workflow"),
        ),
        migrations.AddConstraint(
            model_name="budgetturn",
            constraint=models.UniqueConstraint(
                fields=("run_id", "node_id", "generation", "place", "connection_id"), name="turn_once_per_call"
            ),
        ),
    ]
