"""The one place where the builder's implementations meet the runtime's ports."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from builder.connections.trials import TRIALS, Outcome
from builder.live.publish import ChannelSink
from runtime import ports
from runtime.catalog import CATALOG
from runtime.sdk import StepFailure
from runtime.sdk.context import HostKeyUnknown

if TYPE_CHECKING:
    from runtime.worker.egress import Egress

SINK = ChannelSink()
TRIAL_SECONDS: Final = 25.0


def connect() -> None:
    """Set this process's live sink, vault, people, mail and public address; called once, when all apps are loaded."""
    from builder.accounts.directory import Directory
    from builder.config.record import AuditLog
    from builder.connections.signing import Signer
    from builder.connections.vault import SealedVault
    from builder.workflows.names import KnownNames

    ports.configure(
        live=SINK,
        vault=SealedVault(),
        people=Directory(),
        names=KnownNames(),
        post=settings.POST,
        public_url=settings.PUBLIC_URL,
        seal=Signer(settings.SECRET_KEY),
        record=AuditLog(),
    )


def keep_elsewhere() -> None:
    """Have files and large values kept in the storage that the settings name, if they name one."""
    told = getattr(settings, "ARTIFACT_STORAGE", None)
    if told is None:
        return
    from runtime.sdk.s3 import Bucket
    from runtime.store.blobs import PLACE
    from runtime.worker.storage import S3Storage

    bucket = Bucket(told.endpoint, told.region, told.bucket, told.access_key, told.secret_key, told.by_host)
    PLACE.storage = S3Storage(bucket, told.folder)


def allow_trials(loop: asyncio.AbstractEventLoop, egress: Egress) -> None:
    """Let the API try connections, through the same guarded doors as steps, on the server's loop."""

    async def ask(kind: str, fields: Mapping[str, Any]) -> Outcome:
        found = CATALOG.connection_kind(kind)
        if found is None:
            return Outcome(False, "This kind of connection is no longer known.")
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                return Outcome(True, await found.test(fields, egress))
        except HostKeyUnknown as unknown:
            return Outcome(False, unknown.message, ("host_key", unknown.host_key))
        except StepFailure as failure:
            return Outcome(False, failure.message)
        except TimeoutError:
            return Outcome(False, "The other system did not answer in time.")

    def trial(kind: str, fields: Mapping[str, Any]) -> Outcome:
        return asyncio.run_coroutine_threadsafe(ask(kind, fields), loop).result(TRIAL_SECONDS + 5)

    TRIALS.trial = trial
