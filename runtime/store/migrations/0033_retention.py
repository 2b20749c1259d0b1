from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0032_pending_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("workspace_id", models.UUIDField(primary_key=True, serialize=False)),
                ("rules", models.TextField(default="{}")),
                ("revision", models.PositiveIntegerField(default=0)),
                ("changed_at", models.BigIntegerField(default=0)),
                ("began_at", models.BigIntegerField(null=True)),
                ("ended_at", models.BigIntegerField(null=True)),
                ("whole_at", models.BigIntegerField(null=True)),
                ("asked_at", models.BigIntegerField(null=True)),
                ("asked_by", models.UUIDField(null=True)),
                ("state", models.TextField(default="{}")),
                ("last", models.TextField(default="{}")),
                ("token", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("workspace_id", models.UUIDField()),
                ("workflow_id", models.UUIDField(null=True)),
                ("key", models.CharField(max_length=200, null=True)),
                ("reason", models.CharField(max_length=400)),
                ("at", models.BigIntegerField()),
                ("by", models.UUIDField(null=True)),
                ("lifted_at", models.BigIntegerField(null=True)),
                ("lifted_by", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("lifted_at", None)), fields=["workspace_id"], name="legalhold_standing"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="values_removed_at",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="removed_at",
            field=models.BigIntegerField(null=True),
        ),
    ]
