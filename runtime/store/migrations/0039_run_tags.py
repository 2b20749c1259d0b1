from __future__ import annotations

import django.db.models.fields.composite
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0038_letter_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="RunTag",
            fields=[
                (
                    "pk",
                    django.db.models.fields.composite.CompositePrimaryKey(
                        "workspace_id",
                        "folded",
                        "run_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("folded", models.CharField(max_length=200)),
                ("run_id", models.UUIDField()),
                ("tag", models.CharField(max_length=40)),
                ("by", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["run_id"], name="runtag_of_run")],
            },
        ),
    ]
