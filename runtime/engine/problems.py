"""What `check` finds and `parse` refuses, in words a builder of workflows understands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. Errors stop a publish; warnings and hints do not.

    `code` and `params` are for translation; `message` is the English text and says what to do. `node` and `edge` are
    ids in the document. `field` of a step: a path inside its config, as the form shows it (`url`, `headers[0].value`),
    or `settings.retry.attempts`, or `step.key` for what stands outside both. `field` of a link: `sourceHandle`. When
    there is no usable id, a path inside the document: `nodes[3].type`.
    """

    severity: Severity
    code: str
    message: str
    node: str | None = None
    edge: str | None = None
    field: str | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class GraphRefused(ValueError):
    """The document is not a graph that can run. `problems` holds at least one error."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        shown = "; ".join(problem.message for problem in self.problems[:3])
        more = len(self.problems) - 3
        super().__init__(shown + (f" (and {more} more)" if more > 0 else ""))
