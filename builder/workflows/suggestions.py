"""What to do about dead letters, by what they failed of: one table, looked through from above.

It goes by the code of the failure alone. That is enough to say what usually helps, and never more than a hint: every
other way stays open.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["RULES", "Suggested", "suggested"]

Suggested: TypeAlias = Literal[
    "undo", "look", "mend_connection", "replay", "replay_slowly", "edit", "settle", "mend_workflow"
]


class Rule(NamedTuple):
    """Failures with one of these codes, and what is to be done about them."""

    action: Suggested
    codes: re.Pattern[str]


def _rule(action: Suggested, *codes: str) -> Rule:
    return Rule(action, re.compile("|".join(codes)))


#: `undo`: undo again what still stands; `look`: nobody but a person can say what happened; `mend_connection`: it will
#: fail again until somebody does; `replay`: it may work now; `replay_slowly`: it may work, if not all at once; `edit`:
#: it was given something that will not do; `settle`: the other side has said no for good; `mend_workflow`: a step is
#: set wrongly.
RULES: Final[tuple[Rule, ...]] = (
    _rule("undo", "undo_incomplete", "items_not_undone"),
    _rule("look", "in_doubt", "undo_.*", "undoes_nothing", "said_not_done", "items_changed", "document_damaged"),
    _rule(
        "mend_connection",
        "http_401", "http_403", "http_407", "smtp_auth", "sftp_auth", "sftp_key", "sftp_old", "connection_missing",
        "tls", "host_key_changed", "host_not_allowed", "no_token", "address_service",
    ),
    _rule("replay_slowly", "http_429", "pool"),
    _rule(
        "replay",
        "http_408", "http_425", "http_5.*", "store_away", "connect", "connect_timeout", "connection_lost",
        "sftp_connection", "cut_off", "dns", "dns_timeout", "timeout", "token_not_now",
        "alert_sent",
    ),
    _rule(
        "settle",
        "http_404", "http_405", "http_409", "http_410", "http_451", "refused", "asked", "file_exists", "row_exists",
        "row_changed", "row_missing", "item_done_before", "item_twice", "not_released", "not_reviewed", "file_missing",
        "no_file", "file_changed", "sftp_refused",
    ),
    _rule(
        "mend_workflow",
        "formula", "settings", "condition", "until_no_answer", "not_live", "not_callable", "switched_off", "too_deep",
        "workflow", "calendar", "people", "people_unknown", "requester_unknown", "host", "folder.*", "start_from",
        "run.start_missing", "table_missing", "redirects", "not_reached", "own_run_failed", "items_failed",
        "address_refused", "too_many_pages", "pages_in_a_circle",
    ),
    _rule(
        "edit",
        "http_400", "http_413", "http_414", "http_415", "http_422", "address", "recipients?", "sender", "body",
        "conversion", "path", "key", "name", "moment", "header", "header_injection", "encoding", "no_item_key",
        "no_list", "no_row", "not_.*", "output.*", "table_refused", "row_size", "unparsable", "form", "request",
        "attachments.*", "mail_too_large", "file_too_large", "too_.*", "answer_not_json", "status", "event_too_large",
        "document.*", "next_.*",
    ),
)  # fmt: skip


def suggested(code: str, *, repaired: bool = False) -> Suggested:
    """What usually helps of failures with this code. `repaired`: the connection by which they failed was, since."""
    if repaired:
        return "replay"
    return next((rule.action for rule in RULES if rule.codes.fullmatch(code)), "look")
