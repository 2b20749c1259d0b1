from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0022_replay_called"),
    ]

    operations = [
        migrations.CreateModel(
            name="File",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("workflow_id", models.UUIDField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                ("node_id", models.CharField(max_length=64, null=True)),
                ("generation", models.PositiveIntegerField(default=1, db_default=1)),
                ("name", models.CharField(max_length=255)),
                ("mime", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("created_at", models.BigIntegerField()),
                ("created_by", models.UUIDField(null=True)),
                ("removed_at", models.BigIntegerField(null=True)),
                ("removed_by", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["workspace_id", "-id"], name="file_newest"),
                    models.Index(
                        condition=models.Q(("run_id__isnull", False)), fields=["run_id", "-id"], name="file_of_run"
                    ),
                ],
            },
        ),
    ]
