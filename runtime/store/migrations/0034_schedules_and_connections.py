from __future__ import annotations

from django.db import migrations, models

import runtime.engine.ids


class Migration(migrations.Migration):
    dependencies = [("store", "0033_retention")]

    operations = [
        migrations.CreateModel(
            name="ScheduleSetting",
            fields=[
                ("trigger_id", models.UUIDField(primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField(db_index=True)),
                ("paused_until", models.BigIntegerField(null=True)),
                ("paused_at", models.BigIntegerField(null=True)),
                ("paused_by", models.UUIDField(null=True)),
                ("delay_ms", models.PositiveIntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.CreateModel(
            name="ScheduleChange",
            fields=[
                ("id", models.UUIDField(default=runtime.engine.ids.uuid7, primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField(db_index=True)),
                ("trigger_id", models.UUIDField()),
                ("instant", models.BigIntegerField()),
                ("to", models.BigIntegerField(null=True)),
                ("by", models.UUIDField(null=True)),
                ("at", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("trigger_id", "instant"), name="schedule_change_once")],
            },
        ),
        migrations.AddField(
            model_name="budget", name="pauses", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(model_name="budget", name="broken_at", field=models.BigIntegerField(null=True)),
        migrations.AddField(
            model_name="budget", name="broken_reason", field=models.CharField(max_length=400, null=True)
        ),
        migrations.AddField(model_name="budget", name="repaired_at", field=models.BigIntegerField(null=True)),
    ]
