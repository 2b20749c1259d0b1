"""A person can be taken out of the texts of rows, and of nothing else of them: see `builder/audit/erasing.py`."""

from __future__ import annotations

from django.db import migrations, models

REFUSAL = "Rows of the audit log are only added."
_KEPT = ("id", "chain", "sequence", "at", "actor_kind", "actor_id", "verb", "object_kind", "object_id", "request_id",
         "previous", "digest")  # fmt: skip
_SAME = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEPT)
_MAY = f"EXISTS (SELECT 1 FROM audit_erasing) AND {_SAME}"

POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {_MAY} THEN RETURN NEW; END IF;
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "DROP TRIGGER audit_row_kept ON audit_row",
    "CREATE TRIGGER audit_row_kept BEFORE DELETE ON audit_row FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_row_unchanged BEFORE UPDATE ON audit_row FOR EACH ROW EXECUTE FUNCTION audit_guard()",
    "CREATE TRIGGER audit_redaction_kept BEFORE UPDATE OR DELETE ON audit_redaction FOR EACH ROW"
    " EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_redaction_whole BEFORE TRUNCATE ON audit_redaction FOR EACH STATEMENT"
    " EXECUTE FUNCTION audit_refuse()",
)
SQLITE = (
    "DROP TRIGGER audit_row_unchanged",
    f"CREATE TRIGGER audit_row_unchanged BEFORE UPDATE ON audit_row WHEN NOT ({_MAY}) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_redaction_unchanged BEFORE UPDATE ON audit_redaction BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_redaction_kept BEFORE DELETE ON audit_redaction BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)


def guard(apps, schema_editor):
    """Refuse every other change, as before."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="AuditRedaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(max_length=36)),
                ("sequence", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("deed", models.BigIntegerField()),
            ],
            options={
                "db_table": "audit_redaction",
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "sequence", "deed"), name="audit_redaction_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditErasing",
            fields=[("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False))],
            options={"db_table": "audit_erasing"},
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
