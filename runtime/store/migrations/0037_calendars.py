from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0036_stand_ins"),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessCalendar",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField(db_index=True)),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=80)),
                ("weekdays", models.CharField(default="1111100", max_length=7)),
                ("country", models.CharField(default="", max_length=2)),
                ("region", models.CharField(default="", max_length=20)),
                ("days", models.TextField(default="[]")),
                ("close", models.CharField(default="", max_length=20)),
                ("is_default", models.BooleanField(default=False)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_at", models.BigIntegerField()),
                ("changed_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace_id", "key"), name="calendar_key_once"),
                    models.UniqueConstraint(fields=("workspace_id", "name"), name="calendar_name_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("workspace_id",), name="calendar_one_default"
                    ),
                ],
            },
        ),
    ]
