from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0034_schedules_and_connections"),
    ]

    operations = [
        migrations.AddField(model_name="bulkretryitem", name="edits", field=models.TextField(null=True)),
    ]
