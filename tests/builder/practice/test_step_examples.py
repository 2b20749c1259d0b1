"""The examples of the step types do real business with the practice company."""

from __future__ import annotations

from typing import Any

import pytest

from builder.practice import example
from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import normalise
from runtime.sdk import Result
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.builder.practice.conftest import Company


async def run(name: str, company: Company, **connections: KnownConnection) -> Any:
    node = CATALOG.get(name)
    assert node is not None
    here = {example.SMTP_HOST: ("127.0.0.1", int(company.client.base_url.port or 0))}
    doors = Egress.make(named=here, named_mail={example.SMTP_HOST: ("127.0.0.1", company.smtp_port)})
    first = node.examples[0]
    try:
        outcome = await run_step(
            node,
            first.config,
            data=first.context,
            context=StepTestContext(doors=doors, connections=connections),
        )
    finally:
        await doors.aclose()
    assert isinstance(outcome, Result)
    return normalise(outcome.output), normalise(first.output)


async def test_the_example_of_the_http_step_makes_out_an_invoice(company: Company) -> None:
    found, shown = await run("http.request@1", company)
    assert found["status"] == shown["status"]
    assert found["headers"].keys() >= shown["headers"].keys()
    assert {**found["body"], "created_at": ""} == {**shown["body"], "created_at": ""}
    assert [invoice["id"] for invoice in company.get("/invoices")["items"]] == ["INV-1001"]


async def test_the_example_of_the_mail_step_arrives(company: Company) -> None:
    node = CATALOG.get("email.send@1")
    assert node is not None
    connection = KnownConnection("smtp", {**example.mail_fields()})
    found, shown = await run("email.send@1", company, **{str(node.examples[0].config["connection"]): connection})
    assert found == shown
    (mail,) = company.get("/mails")["items"]
    assert (mail["recipients"], mail["subject"]) == ("accounts@brightwater.example", "Invoice INV-1001")


@pytest.mark.parametrize("shown", example.EXAMPLES, ids=lambda shown: shown.slug)
def test_every_card_of_an_example_is_read_at_a_glance(shown: example.Example) -> None:
    said = CATALOG.summaries(shown.graph("x"))
    assert {node: line for node, line in said.items() if len(line) > 60 or "…" in line} == {}


def test_the_cards_of_order_to_cash_say_what_they_do() -> None:
    said = CATALOG.summaries(example.ORDER_TO_CASH.graph("x"))
    assert said["check"] == "Number and Customer are filled in and Total is more than 0"
    assert said["credit"] == "GET practice-company/customers/[Customer]/credit"
    assert said["approved"] == "Approved is yes and Total is at most Available"
    assert said["mail"] == "To [Email]: Invoice [Id] for your order [Number]"
