"""What the cards of a run say in their second line: the value that decided, who answered, what came of a call. Masked
as everything else of a run is; asked for by itself, so that no value is on the live socket."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from builder.accounts.rights import Action
from builder.api.operation import ApiView, Call, View, operation
from builder.api.sensitive import MARK, at, masking, shown
from builder.api.shapes import Items
from runtime import api as runtime_api
from runtime.contracts.looking_back import CardSource

__all__ = ["Cards"]

#: A card has one line.
_LONGEST: Final = 60


class CardShape(View):
    """What one step's card tells of it. `kind`: value · people · http · mail. Of a value what was compared, as text;
    `number`: it is one; `currency`: of its amount, where that stands beside it; `hidden`: it is sensitive. Of people
    who answered last, with which `outcome` (`called`: the builder's own word for it) after `took_ms`. Of a call its
    `status`, and the `identity` that came back; of a mail to how many (`count`)."""

    node: str
    generation: int
    kind: str
    took_ms: int | None
    value: str | None = None
    number: bool = False
    currency: str | None = None
    hidden: bool = False
    by: str | None = None
    outcome: str | None = None
    called: str | None = None
    status: int | None = None
    identity: str | None = None
    count: int | None = None


class Cards(ApiView):
    @operation(Action.RUN_SEE, answer=Items[CardShape])
    def get(self, call: Call, *, run_id: UUID) -> Items[CardShape]:
        """What the cards of the steps tell that are done; nothing once the run's data is gone."""
        found = runtime_api.cards(workspace_id=call.workspace.id, run_id=run_id)
        cards = [_card(call, one, shown(call, one.output)) for one in found]
        return Items[CardShape](items=[card for card in cards if card is not None])


def _card(call: Call, source: CardSource, output: Any) -> CardShape | None:
    """`output`: masked."""
    card = CardShape(node=source.node, generation=source.generation, kind=source.kind, took_ms=source.took_ms)
    match source.kind:
        case "value":
            return _compared(call, card, source, output)
        case "people":
            return _answered(card, output)
        case "http":
            status, body = _of(output, "status"), _of(output, "body")
            card.identity = _text(_of(body, "id"))
            card.status = status if isinstance(status, int) and not isinstance(status, bool) else None
            took = _of(output, "duration_ms")
            card.took_ms = took if isinstance(took, int) else card.took_ms
            return card if card.status is not None else None
        case "mail":
            accepted = _of(output, "accepted")
            card.count = len(accepted) if isinstance(accepted, list) else None
            return card if card.count else None
        case _:
            return None


def _compared(call: Call, card: CardShape, source: CardSource, output: Any) -> CardShape | None:
    # What stands inside something sensitive is no longer there to be found.
    card.hidden = masking(call).is_sensitive(source.path)
    if card.hidden:
        return card
    try:
        value = at(output, source.path)
    except KeyError:
        return None
    if isinstance(value, dict) and MARK in value:
        card.hidden = True
        return card
    card.value = _text(value)
    card.number = card.value is not None and not isinstance(value, str)
    beside = at(output, source.path[:-1])
    currency = _of(beside, "currency")
    if isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha():
        card.currency = currency.upper()
    return card if card.value is not None else None


def _answered(card: CardShape, output: Any) -> CardShape | None:
    decisions = _of(output, "decisions")
    last = decisions[-1] if isinstance(decisions, list) and decisions else _of(output, "answered")
    card.by = _text(_of(last, "by"))
    card.called = _text(_of(last, "called"))
    card.outcome = _text(_of(last, "outcome")) or _text(_of(output, "outcome"))
    return card if card.by else None


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any) -> str | None:
    """What can be said in a few words; nothing of what holds more."""
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
