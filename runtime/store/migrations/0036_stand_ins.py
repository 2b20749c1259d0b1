from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0035_bulk_edits"),
    ]

    operations = [
        migrations.AddField(model_name="humanvote", name="for_id", field=models.UUIDField(null=True)),
        migrations.AddField(
            model_name="humanvote",
            name="for_name",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="humanvote",
            name="for_email",
            field=models.CharField(db_default="", default="", max_length=254),
        ),
        migrations.AddField(model_name="humanmail", name="for_id", field=models.UUIDField(null=True)),
        migrations.AddField(
            model_name="humanmail",
            name="for_name",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="humanmail",
            name="for_until",
            field=models.CharField(db_default="", default="", max_length=10),
        ),
    ]
