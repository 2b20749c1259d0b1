from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sensitive_fields"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="undo_seconds",
            field=models.PositiveSmallIntegerField(db_default=8, default=8),
        ),
    ]
