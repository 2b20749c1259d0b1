from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0030_alerts"),
    ]

    operations = [
        migrations.CreateModel(
            name="PendingAnswer",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("voter", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("email", models.CharField(max_length=254)),
                ("voter_json", models.TextField()),
                ("outcome", models.CharField(max_length=64)),
                ("comment", models.CharField(db_default="", default="", max_length=2000)),
                ("answers", models.TextField(default="{}")),
                ("output", models.TextField(default="null")),
                ("at", models.BigIntegerField()),
                ("due_at", models.BigIntegerField(null=True)),
                ("record", models.TextField(default="")),
                ("refused_code", models.CharField(max_length=64, null=True)),
                ("refused", models.CharField(max_length=1000, null=True)),
                ("refused_at", models.BigIntegerField(null=True)),
                (
                    "task",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.humantask",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="pendinganswer_due"
                    ),
                    models.Index(fields=["workspace_id", "voter"], name="pendinganswer_mine"),
                ],
                "constraints": [models.UniqueConstraint(fields=("task", "voter"), name="pendinganswer_once")],
            },
        ),
        migrations.CreateModel(
            name="HumanSnooze",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "task_id", "voter", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("voter", models.UUIDField()),
                ("until", models.BigIntegerField()),
                (
                    "task",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.humantask",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="humantask",
            index=models.Index(
                condition=models.Q(("status", "decided")),
                fields=["workflow_id", "node_id", "-id"],
                name="humantask_alike",
            ),
        ),
    ]
