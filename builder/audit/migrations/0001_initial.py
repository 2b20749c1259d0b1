"""The audit log, and what makes the database itself refuse to change it."""

from __future__ import annotations

from django.db import migrations, models

REFUSAL = "Rows of the audit log are only added."

POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    "CREATE TRIGGER audit_row_kept BEFORE UPDATE OR DELETE ON audit_row FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_row_whole BEFORE TRUNCATE ON audit_row FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    """
    CREATE TRIGGER audit_head_onwards BEFORE UPDATE ON audit_head FOR EACH ROW
    WHEN (NEW.chain <> OLD.chain OR NEW.sequence <> OLD.sequence + 1) EXECUTE FUNCTION audit_refuse()
    """,
)
SQLITE = tuple(
    f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for name, what in (
        ("audit_row_unchanged", "UPDATE ON audit_row"),
        ("audit_row_kept", "DELETE ON audit_row"),
        ("audit_head_kept", "DELETE ON audit_head"),
        (
            "audit_head_onwards",
            "UPDATE ON audit_head WHEN NEW.chain <> OLD.chain OR NEW.sequence <> OLD.sequence + 1",
        ),
    )
)


def guard(apps, schema_editor):
    """Refuse whatever changes or removes a row, and an end that moves otherwise than on by one."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    """The tables take their triggers with them; what is left is the function."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION audit_refuse() CASCADE")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("chain", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "audit_head",
            },
        ),
        migrations.CreateModel(
            name="AuditRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(max_length=36)),
                ("sequence", models.BigIntegerField()),
                ("at", models.BigIntegerField()),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.CharField(max_length=36)),
                ("actor_name", models.CharField(max_length=200)),
                ("address", models.CharField(max_length=64)),
                ("agent", models.CharField(max_length=80)),
                ("verb", models.CharField(max_length=48)),
                ("object_kind", models.CharField(max_length=24)),
                ("object_id", models.CharField(max_length=120)),
                ("object_name", models.CharField(max_length=200)),
                ("detail", models.TextField()),
                ("request_id", models.CharField(max_length=36)),
                ("previous", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "audit_row",
                "indexes": [
                    models.Index(fields=["chain", "object_kind", "object_id", "sequence"], name="audit_row_object"),
                    models.Index(fields=["chain", "actor_id", "sequence"], name="audit_row_actor"),
                    models.Index(fields=["chain", "verb", "sequence"], name="audit_row_verb"),
                    models.Index(fields=["chain", "at"], name="audit_row_at"),
                ],
                "constraints": [models.UniqueConstraint(fields=("chain", "sequence"), name="audit_row_once")],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
