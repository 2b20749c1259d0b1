from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0018_let_go_onto")]

    operations = [
        migrations.AddField(model_name="humantask", name="stranded_at", field=models.BigIntegerField(null=True)),
    ]
