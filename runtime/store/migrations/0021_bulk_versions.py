from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0020_bulk_retries"),
    ]

    operations = [
        migrations.AddField(model_name="bulkretry", name="versions", field=models.TextField(null=True)),
    ]
