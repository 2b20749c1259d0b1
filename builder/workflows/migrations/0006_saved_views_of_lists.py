"""Saved searches are of a list, of which there are several; those that are there are of the list of runs."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import builder.accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_absences"),
        ("workflows", "0005_run_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel(old_name="SavedRunView", new_name="SavedView"),
        migrations.AddField(
            model_name="savedview",
            name="of",
            field=models.CharField(db_default="runs", default="runs", max_length=8),
        ),
        migrations.CreateModel(
            name="DefaultView",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=builder.accounts.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("of", models.CharField(max_length=8)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workflows.savedview"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "person", "of"), name="default_view_once")
                ],
            },
        ),
    ]
