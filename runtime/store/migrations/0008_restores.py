from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0007_human_tasks"),
    ]

    operations = [
        migrations.AddField(
            model_name="instance",
            name="beat",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="instance",
            name="held_since",
            field=models.BigIntegerField(null=True),
        ),
    ]
