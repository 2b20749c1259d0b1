"""Large bodies: put into the artifact store before their event is committed, removed again where none came of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Final
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import connection

from runtime.contracts import StoreUnavailable
from runtime.intake.threads import Threads
from runtime.store import artifacts

__all__ = ["Aside"]

logger = logging.getLogger("millrace.intake.aside")

# Together with the wait for the commit an answer stays below five seconds (I2).
_PATIENCE_SECONDS: Final = 2.5
_THREADS: Final = 2


class Aside:
    """Puts bodies aside in threads of its own: writing ten megabytes holds up no look-up."""

    def __init__(self, *, patience: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._threads = Threads("aside", _THREADS)

    def close(self) -> None:
        """Finish what was begun. Blocks."""
        self._threads.close()

    async def put(self, workspace_id: UUID, body: bytes, content_type: str) -> UUID:
        """Keep this body; durable when this returns. Raises StoreUnavailable, and then nothing is kept."""
        errand = _Errand()
        future = self._threads.submit(_put, errand, workspace_id, body, content_type)
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            if not future.cancel() and (artifact_id := errand.abandon()) is not None:
                self.forget(artifact_id)
            raise StoreUnavailable("The artifact store did not answer in time.") from None

    def forget(self, artifact_id: UUID) -> None:
        """Remove a body that no event came of, soon. Only where that is certain: a commit that got no answer may have
        taken place; what is left then is found by `artifacts.sweep_orphans`."""
        with contextlib.suppress(RuntimeError):  # closed: the sweep finds it, too
            self._threads.submit(_discard, artifact_id)


class _Errand:
    """Decides between a thread that has put something aside and a caller who stopped waiting: one of them cleans up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._abandoned = False
        self._artifact_id: UUID | None = None

    def finish(self, artifact_id: UUID) -> bool:
        """It is put aside; false where nobody waits for it any more."""
        with self._lock:
            self._artifact_id = artifact_id
            return not self._abandoned

    def abandon(self) -> UUID | None:
        """Wait no more; what is there where it was put aside this moment."""
        with self._lock:
            self._abandoned = True
            return self._artifact_id


def _put(errand: _Errand, workspace_id: UUID, body: bytes, content_type: str) -> UUID:
    media_type = content_type or "application/octet-stream"
    try:
        artifact_id = artifacts.put(body, workspace_id=workspace_id, media_type=media_type, name=artifacts.BODY)
    except DatabaseFault as error:
        connection.close()
        raise StoreUnavailable(str(error)) from error
    if not errand.finish(artifact_id):
        _discard(artifact_id)
    return artifact_id


def _discard(artifact_id: UUID) -> None:
    try:
        artifacts.discard(artifact_id)
    except (DatabaseFault, OSError) as error:
        connection.close()
        logger.info("Artifact %s is left to the sweep: %s", artifact_id, error)
