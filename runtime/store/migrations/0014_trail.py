from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from runtime.store.trail import TABLE


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for sql in TABLE[schema_editor.connection.vendor]:
        schema_editor.execute(sql)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DROP TABLE store_transition")


class Migration(migrations.Migration):
    dependencies = [("store", "0013_questions_to_groups")]

    operations = [
        migrations.AddField(model_name="run", name="change", field=models.TextField(null=True)),
        migrations.AddField(model_name="steprun", name="token", field=models.BigIntegerField(null=True)),
        migrations.CreateModel(
            name="Transition",
            fields=[
                ("pk", models.CompositePrimaryKey("run_id", "number", blank=True, editable=False, primary_key=True)),
                ("run_id", models.UUIDField()),
                ("number", models.BigIntegerField()),
                ("at", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
                ("token", models.BigIntegerField()),
                ("worker", models.CharField(max_length=64, null=True)),
                ("generation", models.PositiveIntegerField()),
                ("status_before", models.CharField(max_length=20)),
                ("status", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=32, null=True)),
                ("cancelled_by", models.CharField(max_length=64, null=True)),
                ("detail", models.TextField(null=True)),
            ],
            options={"db_table": "store_transition", "managed": False},
        ),
        migrations.RunPython(make, remove),
    ]
