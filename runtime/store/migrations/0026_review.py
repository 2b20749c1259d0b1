from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0025_batches"),
    ]

    operations = [
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("node_id", models.CharField(max_length=64)),
                ("generation", models.PositiveIntegerField()),
                ("attempt", models.PositiveIntegerField()),
                ("stage", models.CharField(default="staging", max_length=16)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("spec", models.TextField()),
                ("prepared", models.TextField(default="{}")),
                ("sha256", models.CharField(default="", max_length=64)),
                ("handed_by", models.UUIDField(null=True)),
                ("handed_name", models.CharField(default="", max_length=200)),
                ("handed_at", models.BigIntegerField(null=True)),
                ("handed_comment", models.CharField(default="", max_length=2000)),
                ("created_at", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run_id", "node_id", "generation", "attempt"), name="review_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewChange",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("review_id", models.UUIDField()),
                ("seq", models.PositiveIntegerField(null=True)),
                ("kind", models.CharField(max_length=16)),
                ("at", models.BigIntegerField()),
                ("by", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("email", models.CharField(max_length=254)),
                ("before", models.TextField(default="")),
                ("after", models.TextField(default="")),
                ("reason", models.CharField(default="", max_length=2000)),
            ],
            options={
                "indexes": [models.Index(fields=["review_id", "-id"], name="reviewchange_newest")],
            },
        ),
        migrations.CreateModel(
            name="ReviewRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "review_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("review_id", models.UUIDField()),
                ("seq", models.PositiveIntegerField()),
                ("data", models.TextField()),
                ("prepared", models.TextField(null=True)),
                ("state", models.CharField(default="", max_length=8)),
                ("reason", models.CharField(default="", max_length=500)),
                ("rank", models.PositiveSmallIntegerField(default=0)),
                ("problems", models.TextField(default="[]")),
                ("amount", models.BigIntegerField(null=True)),
                ("currency", models.CharField(default="", max_length=8)),
                ("sought", models.TextField(default="")),
                ("version", models.PositiveIntegerField(default=0)),
                ("changed_by", models.CharField(default="", max_length=200)),
                ("changed_at", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("rank__gt", 0)), fields=["review_id", "-rank", "seq"], name="reviewrow_todo"
                    )
                ],
            },
        ),
    ]
