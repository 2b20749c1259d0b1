"""The examples: workflows that do business with the practice company, already published at the first start.

*Order to cash* is the one everybody meets first. *Payment run with undo* takes back what it did when its delivery is
refused. *Refund with approval* asks two people before it gives back much. *Month-end statements* does many at once.
*Bank statement reconciliation* holds two lists against each other.
*Supplier payment run* pays what a second person has released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from builder.accounts.models import User, Workspace
from builder.connections import services as connections
from builder.connections.models import Connection
from builder.workflows import services as workflows
from runtime.contracts import loads

MAIL_CONNECTION: Final = "Practice company mail"
SMTP_HOST: Final = "practice-company"


@dataclass(frozen=True, slots=True)
class Example:
    """One example. `sample` goes all the way: it is what the copied curl line posts, or the answers to its form."""

    slug: str
    name: str
    description: str
    sample: Mapping[str, Any]

    def graph(self, mail_connection: str = "") -> dict[str, Any]:
        """The workflow's document; the mail step uses the named connection."""
        path = Path(__file__).with_name(f"{self.slug.replace('-', '_')}.json")
        document = loads(path.read_bytes())
        if not isinstance(document, dict) or not isinstance(document["nodes"], list):
            raise TypeError(f"{path.name} is no graph document.")
        for node in document["nodes"]:
            if not isinstance(node, dict) or not isinstance(node["config"], dict):
                continue
            if node["type"] == "email.send@1":
                node["config"]["connection"] = mail_connection
            elif str(node["type"]).startswith("people."):
                node["config"]["mail"] = mail_connection
        return document


ORDER_TO_CASH: Final = Example(
    "order-to-cash",
    "Order to cash",
    "Checks an order, makes out the invoice, takes the payment, sends a mail and answers the shop.",
    {
        "number": "SO-2041",
        "customer": "C-200",
        "currency": "EUR",
        "total": 1249.5,
        "lines": [
            {"sku": "TOWEL-60", "quantity": 120, "price": 6.75},
            {"sku": "ROBE-L", "quantity": 15, "price": 29.3},
        ],
    },
)
PAYMENT_RUN: Final = Example(
    "payment-run",
    "Payment run with undo",
    "Makes out the invoice, takes the payment and books the delivery; undoes it all when the delivery is refused.",
    {"number": "SO-3107", "customer": "C-200", "sku": "ROBE-L", "quantity": 15, "price": 29.3, "currency": "EUR"},
)
REFUND: Final = Example(
    "refund-with-approval",
    "Refund with approval",
    "Books a refund; above 500 two people have to approve it first. A refund that is refused is told to the customer.",
    {
        "number": "RF-118",
        "order": "SO-2041",
        "customer": "C-200",
        "amount": 640,
        "currency": "EUR",
        "reason": "Fifteen bathrobes came in the wrong size.",
        "requested_by": "shop@practice-company.example",
    },
)
MONTH_END: Final = Example(
    "month-end-statements",
    "Month-end statements",
    "Draws a statement for every student of a school, posts each to the ledger, and adds it all up and proves it.",
    {"month": "2026-11", "students": 200, "some_fail": False},
)
RECONCILIATION: Final = Example(
    "bank-statement-reconciliation",
    "Bank statement reconciliation",
    "Holds a bank statement against the open invoices, books what matches, and asks people about the rest.",
    {"month": "2026-11", "lines": 200},
)
SUPPLIER_PAYMENTS: Final = Example(
    "supplier-payments",
    "Supplier payment run",
    "Prepares payments to suppliers; they are reviewed against control totals, released by a second person, then paid.",
    {"date": "2026-11-30", "suppliers": 24},
)
#: In the order in which they are installed: the one made last stands first in a list of workflows.
EXAMPLES: Final = (SUPPLIER_PAYMENTS, RECONCILIATION, MONTH_END, PAYMENT_RUN, REFUND, ORDER_TO_CASH)


@dataclass(frozen=True, slots=True)
class InstalledExample:
    """What was made."""

    workflow_id: UUID
    connection_id: UUID


def find(called: str) -> Example | None:
    """The example with this name or slug."""
    return next((one for one in EXAMPLES if called in (one.slug, one.name)), None)


def install(example: Example, *, workspace: Workspace, by: User | None) -> InstalledExample:
    """Make the mail connection and the published workflow in a workspace."""
    connection, _made = mail_connection(workspace=workspace, by=by)
    workflow = workflows.create_workflow(
        workspace=workspace,
        name=example.name,
        description=example.description,
        graph=example.graph(str(connection.id)),
        by=by,
    )
    workflows.publish(workflow=workflow, by=by, note="The example as it comes with Millrace.")
    return InstalledExample(workflow.id, connection.id)


def mail_connection(*, workspace: Workspace, by: User | None) -> tuple[Connection, bool]:
    """The workspace's connection to the practice company's mail box, and whether it had none and it was made now."""
    found = Connection.objects.filter(workspace=workspace, kind="smtp", name=MAIL_CONNECTION).first()
    if found is not None:
        return found, False
    made = connections.create(workspace=workspace, kind="smtp", name=MAIL_CONNECTION, fields=mail_fields(), by=by)
    return made, True


def mail_fields() -> Mapping[str, Any]:
    """Where the practice company takes mail."""
    return {
        "host": SMTP_HOST,
        "port": settings.PRACTICE_SMTP_ADDRESS[1],
        "security": "none",
        "from_address": "Practice company <invoices@practice-company.example>",
    }
