from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0039_run_tags"),
    ]

    operations = [
        migrations.CreateModel(
            name="LetterSending",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("to", models.CharField(max_length=254)),
                ("note", models.TextField(default="")),
                ("total", models.PositiveIntegerField()),
                ("cause", models.CharField(default="", max_length=32)),
                ("workflow_id", models.UUIDField(null=True)),
                ("version_id", models.UUIDField(null=True)),
                ("node_id", models.CharField(default="", max_length=64)),
                ("code", models.CharField(default="", max_length=64)),
                ("title", models.CharField(default="", max_length=200)),
                ("at", models.BigIntegerField()),
                ("by", models.UUIDField(null=True)),
                ("by_name", models.CharField(default="", max_length=200)),
                ("ended_at", models.BigIntegerField(null=True)),
                ("ended_as", models.CharField(default="", max_length=16)),
                ("ended_by", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["workspace_id", "id"],
                        name="lettersending_open",
                    ),
                    models.Index(fields=["workspace_id", "ended_at"], name="lettersending_ended"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SentLetter",
            fields=[
                ("run_id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "sending",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to="store.lettersending",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="humanmail",
            name="task",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="store.humantask",
            ),
        ),
        migrations.AddField(
            model_name="humanmail",
            name="sending",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="store.lettersending",
            ),
        ),
        migrations.AddConstraint(
            model_name="humanmail",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sending__isnull", False)),
                fields=("sending", "email"),
                name="humanmail_letters_once",
            ),
        ),
    ]
