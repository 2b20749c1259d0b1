"""Figures are added up, and how things stand is noted, now and then, by the leading ticker. See `store.figures`."""

from __future__ import annotations

from typing import Final

from runtime.interpreter.letters import open_by_workspace
from runtime.store import figure_rows, standing
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.figures import roll
from runtime.store.models import Deployment

__all__ = ["Roller"]

_PERIOD_MS: Final = 2_000
_STANDING_MS: Final = 15_000
#: So many portions in a row: after a long silence the rest of the tick is not kept waiting.
_MOST_PORTIONS: Final = 5


class Roller:
    """Remembers when it looked last; everything else is in the rows."""

    def __init__(self) -> None:
        self._rolled_at = 0
        self._stood_at = 0
        self._stood: dict[object, tuple[int, ...]] = {}

    def look(self) -> None:
        """Add up what has come, and note how things stand, where it is time for that."""
        now = database_now()
        if now - self._rolled_at >= _PERIOD_MS:
            more = False
            for _ in range(_MOST_PORTIONS):
                more = roll()
                if not more:
                    break
            self._rolled_at = 0 if more else now
        if now - self._stood_at >= _STANDING_MS:
            self._stand(now)
            self._stood_at = now

    def _stand(self, now: int) -> None:
        """Only where something stands, or has: an idle system writes nothing."""
        queues, letters, tasks = standing.queues(), open_by_workspace(), standing.open_tasks()
        known = {*queues, *letters, *tasks, *self._stood}
        here = set(Deployment.objects.order_by().values_list("workspace_id", flat=True).distinct()) if known else set()
        minute = now - now % (figure_rows.MINUTE * 1000)
        fresh = {}
        for workspace_id in here:
            count, since = queues.get(workspace_id, standing.Queue(0, None))
            oldest = 0 if since is None else max(0, now - since)
            fresh[workspace_id] = minute, count, oldest, letters.get(workspace_id, 0), tasks.get(workspace_id, 0)
        changed = {key: row for key, row in fresh.items() if row != self._stood.get(key)}
        if changed:
            with commit("figures.stand"):
                for workspace_id, (at, count, oldest, open_letters, open_tasks) in sorted(changed.items()):
                    figure_rows.keep_standing(
                        workspace_id, at, queue=count, oldest_ms=oldest, letters=open_letters, tasks=open_tasks
                    )
        self._stood = {key: row for key, row in fresh.items() if any(row[1:])}
