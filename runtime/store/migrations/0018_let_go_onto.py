from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0017_readings")]

    operations = [
        migrations.AddField(model_name="hold", name="onto_version_id", field=models.UUIDField(null=True)),
    ]
