from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="environment",
            field=models.CharField(blank=True, db_default="", default="", max_length=12),
        ),
        migrations.AddField(model_name="connection", name="expires_on", field=models.DateField(null=True)),
        migrations.AddField(model_name="connection", name="last_used_at", field=models.DateTimeField(null=True)),
    ]
