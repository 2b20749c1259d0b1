from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0021_bulk_versions"),
    ]

    operations = [
        migrations.AddField(model_name="replay", name="called", field=models.TextField(null=True)),
    ]
