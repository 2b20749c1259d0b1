"""The rows of the audit log, which the database itself refuses to change, and where each chain of them ends."""

from __future__ import annotations

from django.db import models


class AuditRow(models.Model):
    """What somebody did. `docs/audit.md` says what each column means and how `digest` is worked out."""

    #: The workspace's id, or `installation`.
    chain = models.CharField(max_length=36)
    #: From 1, without gaps.
    sequence = models.BigIntegerField()
    #: Milliseconds since the epoch by the database's clock.
    at = models.BigIntegerField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=36)
    actor_name = models.CharField(max_length=200)
    address = models.CharField(max_length=64)
    agent = models.CharField(max_length=80)
    verb = models.CharField(max_length=48)
    object_kind = models.CharField(max_length=24)
    object_id = models.CharField(max_length=120)
    object_name = models.CharField(max_length=200)
    #: A JSON object in canonical form.
    detail = models.TextField()
    request_id = models.CharField(max_length=36)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_row"
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_row_once")]
        indexes = [
            models.Index(fields=["chain", "object_kind", "object_id", "sequence"], name="audit_row_object"),
            models.Index(fields=["chain", "actor_id", "sequence"], name="audit_row_actor"),
            models.Index(fields=["chain", "verb", "sequence"], name="audit_row_verb"),
            models.Index(fields=["chain", "at"], name="audit_row_at"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.verb}"


class AuditHead(models.Model):
    """The end of a chain: which row is its last. Who appends holds this row, so that no two rows follow one."""

    chain = models.CharField(max_length=36, primary_key=True)
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"


class AuditRedaction(models.Model):
    """That a row says something else than was written, since a person was taken out of it (`erasing.py`): the digest of
    what it says now, and the row of the deed, further on in the same chain, that vouches for it. Only added."""

    chain = models.CharField(max_length=36)
    sequence = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    deed = models.BigIntegerField()

    class Meta:
        db_table = "audit_redaction"
        constraints = [models.UniqueConstraint(fields=["chain", "sequence", "deed"], name="audit_redaction_once")]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"


class AuditErasing(models.Model):
    """Stands within the transaction that takes a person out, and is gone at its end: while it does the database lets
    the texts of rows be changed, and nothing else of them."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)

    class Meta:
        db_table = "audit_erasing"

    def __str__(self) -> str:
        return "a person is being erased"
