"""The settings by which entries of a list are known again, and what becomes of those that are."""

from __future__ import annotations

from typing import Final, Literal

from runtime.sdk.fields import Config, field

__all__ = ["KeySettings"]

_GROUP: Final = "If one comes again"


class KeySettings(Config):
    """Where rows of a file are told apart by a column, that column is their key."""

    item_key: str = field(
        "",
        title="Known again by",
        placeholder="{{ item.id }}",
        help="The number of the customer, of the invoice. With it, one that comes twice is done once; also where "
        "entries move from page to page while these are read.",
        deferred=True,
        show_if={"source": ["list", "table", "pages", "review"]},
        advanced=True,
        group=_GROUP,
        order=30,
        max_length=2000,
    )
    on_twice: Literal["skip", "fail", "do"] = field(
        "skip",
        title="If one comes twice",
        widget="choice",
        options=(("skip", "Pass over the second"), ("fail", "Fail"), ("do", "Do it once more")),
        advanced=True,
        group=_GROUP,
        order=31,
    )
    on_done_before: Literal["do", "skip", "fail"] = field(
        "do",
        title="If an earlier run has done it",
        help="By the same key, in this step of this workflow. What failed there, was undone, or is still under way "
        "does not count. With “Do it again” the steps inside have to be such that this does no harm.",
        widget="choice",
        options=(("do", "Do it again"), ("skip", "Pass over it"), ("fail", "Fail")),
        advanced=True,
        group=_GROUP,
        order=32,
    )
