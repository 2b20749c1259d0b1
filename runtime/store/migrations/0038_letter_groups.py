from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0037_calendars"),
    ]

    operations = [
        migrations.CreateModel(
            name="LetterGroup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "workspace_id", "cause", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("cause", models.CharField(max_length=32)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("note", models.TextField(default="")),
                ("ticket", models.CharField(default="", max_length=500)),
                ("noted_at", models.BigIntegerField(null=True)),
                ("noted_by", models.UUIDField(null=True)),
                ("muted_at", models.BigIntegerField(null=True)),
                ("muted_until", models.BigIntegerField(null=True)),
                ("muted_by", models.UUIDField(null=True)),
            ],
        ),
    ]
