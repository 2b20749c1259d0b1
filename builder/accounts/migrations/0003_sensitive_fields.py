from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="sensitive_fields",
            field=models.JSONField(default=list),
        ),
    ]
