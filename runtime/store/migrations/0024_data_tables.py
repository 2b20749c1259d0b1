from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0023_files"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataChange",
            fields=[
                ("workspace_id", models.UUIDField()),
                ("key", models.CharField(max_length=160)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "workspace_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("table_id", models.UUIDField(null=True)),
                ("row_id", models.UUIDField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                ("node_id", models.CharField(max_length=64, null=True)),
                ("generation", models.PositiveIntegerField(default=1)),
                ("what", models.CharField(max_length=16)),
                ("before", models.TextField(null=True)),
                ("after", models.TextField(null=True)),
                ("stamp_before", models.UUIDField(null=True)),
                ("stamp_after", models.UUIDField(null=True)),
                ("row_created_at", models.BigIntegerField(null=True)),
                ("column", models.CharField(max_length=16, null=True)),
                ("amount", models.CharField(max_length=128, null=True)),
                ("counts", models.TextField(null=True)),
                ("made_at", models.BigIntegerField()),
                ("undone_by", models.CharField(max_length=160, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("run_id__isnull", False)),
                        fields=["run_id", "node_id"],
                        name="datachange_of_step",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DataRow",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("table_id", models.UUIDField()),
                ("cells", models.TextField()),
                ("sought", models.TextField()),
                ("key_digest", models.CharField(max_length=64, null=True)),
                ("stamp", models.UUIDField()),
                ("created_at", models.BigIntegerField()),
                ("changed_at", models.BigIntegerField()),
                ("by", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [models.Index(fields=["table_id", "id"], name="datarow_of_table")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key_digest__isnull", False)),
                        fields=("table_id", "key_digest"),
                        name="datarow_key_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DataTable",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("name", models.CharField(max_length=100)),
                ("name_folded", models.CharField(max_length=300)),
                ("columns", models.TextField()),
                ("next_column", models.PositiveIntegerField(default=1)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.BigIntegerField()),
                ("created_by", models.UUIDField(null=True)),
                ("changed_at", models.BigIntegerField()),
                ("changed_by", models.UUIDField(null=True)),
                ("removed_at", models.BigIntegerField(null=True)),
                ("removed_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at", None)),
                        fields=("workspace_id", "name_folded"),
                        name="datatable_name_once",
                    )
                ],
            },
        ),
    ]
