from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_life")]

    operations = [
        migrations.AddField(model_name="connection", name="rotated_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="connection", name="previous_until", field=models.DateTimeField(db_index=True, null=True)
        ),
        migrations.AddField(model_name="connection", name="secret_used_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="connection", name="previous_used_at", field=models.DateTimeField(null=True)),
    ]
