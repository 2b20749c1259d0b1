from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0024_data_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="ItemAmount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "node_id", "item_index", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("node_id", models.CharField(max_length=64)),
                ("item_index", models.BigIntegerField()),
                ("amount", models.BigIntegerField(null=True)),
                ("currency", models.CharField(default="", max_length=8)),
                ("posted", models.BigIntegerField(null=True)),
                ("posted_currency", models.CharField(db_default="", default="", max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name="BatchCheck",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("node_id", models.CharField(max_length=64)),
                ("at", models.BigIntegerField()),
                ("by", models.UUIDField(null=True)),
                ("where", models.CharField(default="server", max_length=8)),
                ("sha256", models.CharField(max_length=64)),
                ("signed", models.BooleanField(default=False)),
                ("checked", models.PositiveIntegerField()),
                ("missing", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("extra", models.PositiveIntegerField(default=0)),
                ("found", models.TextField(default="{}")),
            ],
            options={
                "indexes": [models.Index(fields=["run_id", "node_id", "-id"], name="batchcheck_newest")],
            },
        ),
    ]
