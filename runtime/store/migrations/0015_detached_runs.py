from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0014_trail")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="detached",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
