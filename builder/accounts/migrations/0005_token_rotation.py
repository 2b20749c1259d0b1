from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_undo_seconds")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="replaced_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="replaces", to="accounts.apitoken"
            ),
        ),
    ]
