from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0029_run_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertChannel",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField(db_index=True)),
                ("name", models.CharField(max_length=80)),
                ("people", models.TextField(default="[]")),
                ("mail_id", models.UUIDField(null=True)),
                ("hook_id", models.UUIDField(null=True)),
                ("language", models.CharField(default="en", max_length=12)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("quiet", models.TextField(null=True)),
                ("created_at", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace_id", "name"), name="alertchannel_name_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertEpisode",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("rule_id", models.UUIDField()),
                ("rule", models.TextField()),
                ("measure", models.TextField()),
                ("began_at", models.BigIntegerField()),
                ("ended_at", models.BigIntegerField(null=True)),
                ("ended_by", models.CharField(max_length=12, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["workspace_id", "-id"], name="alertepisode_newest"),
                    models.Index(fields=["began_at"], name="alertepisode_oldest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertMessage",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("episode_id", models.UUIDField(null=True)),
                ("channel_id", models.UUIDField()),
                ("kind", models.CharField(max_length=12)),
                ("route", models.CharField(max_length=4)),
                ("target", models.CharField(max_length=254)),
                ("mail_id", models.UUIDField(null=True)),
                ("name", models.CharField(default="", max_length=200)),
                ("language", models.CharField(default="en", max_length=12)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("facts", models.TextField(default="{}")),
                ("status", models.CharField(default="waiting", max_length=8)),
                ("slot_at", models.BigIntegerField()),
                ("due_at", models.BigIntegerField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("bundle", models.UUIDField(null=True)),
                ("created_at", models.BigIntegerField()),
                ("sent_at", models.BigIntegerField(null=True)),
                ("error", models.CharField(max_length=400, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="alertmessage_due"
                    ),
                    models.Index(fields=["workspace_id", "route", "target", "slot_at"], name="alertmessage_slot"),
                    models.Index(fields=["channel_id", "-id"], name="alertmessage_of_channel"),
                    models.Index(fields=["created_at"], name="alertmessage_oldest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("episode_id__isnull", False)),
                        fields=("episode_id", "kind", "channel_id", "route", "target"),
                        name="alertmessage_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("kind", models.CharField(max_length=24)),
                ("workflow_id", models.UUIDField(null=True)),
                ("connection_id", models.UUIDField(null=True)),
                ("limit", models.FloatField(default=0)),
                ("minutes", models.PositiveIntegerField(default=10)),
                ("least", models.PositiveIntegerField(default=1)),
                ("arrival", models.TextField(null=True)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("channels", models.TextField(default="[]")),
                ("urgent", models.BooleanField(default=False)),
                ("recovered", models.BooleanField(default=True)),
                ("enabled", models.BooleanField(default=True)),
                ("created_at", models.BigIntegerField()),
                ("created_by", models.UUIDField(null=True)),
                ("changed_at", models.BigIntegerField()),
                ("since", models.BigIntegerField(null=True)),
                ("episode_id", models.UUIDField(null=True)),
                ("judged_at", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["workspace_id", "id"], name="alertrule_of_workspace"),
                    models.Index(condition=models.Q(("enabled", True)), fields=["id"], name="alertrule_enabled"),
                ],
            },
        ),
    ]
