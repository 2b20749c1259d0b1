"""Saving a file in a place outside: a folder of this machine, or of another one.

It is written under a name of its own and gets its real name once it is whole, so nobody picks up half a file. The
first name belongs to the step's key: a try that was cut off leaves at most one such file, which the next one writes
anew. Whether it happened is told by the bytes: is there a file with this size and SHA-256 under the name it would have?
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.effects import EffectClass
from runtime.sdk.errors import PermanentError, StepFailure
from runtime.sdk.fields import Config, Text, field
from runtime.sdk.files import FileValue, clean_name, file_id
from runtime.sdk.folders import Folder, Open
from runtime.sdk.nodetype import Example
from runtime.sdk.probes import DidNotHappen, Happened, Patience, Verdict
from runtime.sdk.results import Result
from runtime.sdk.words import Words

__all__ = [
    "EXAMPLE", "MOST_NUMBERS", "SaveSettings", "Target", "already_there", "effect", "is_saved", "known", "mark",
    "numbered", "patience", "problems", "request_of", "save", "saved", "summary", "target_of",
]  # fmt: skip

#: "a (2).pdf", "a (3).pdf" and so on, up to this one.
MOST_NUMBERS: Final = 1_000
_MOST_DEEP: Final = 32

#: Of every such step.
EXAMPLE: Final = Example(
    title="Payments for the bank",
    config={
        "connection": "0199a7f0-0000-7000-8000-000000000001",
        "file": "{{ steps.payments.file }}",
        "folder": "in/{{ trigger.body.year }}",
        "name": "payments.csv",
    },
    context={
        "trigger": {"body": {"year": 2026}},
        "steps": {
            "payments": {
                "file": {
                    "id": "0199a7f0-0000-7000-8000-0000000000f1",
                    "name": "table.csv",
                    "mime": "text/csv",
                    "size": 29,
                    "sha256": "d2f8ad5a8b3de2898c479a3c0dd53c87ca96ef040759bc4b2fe67b5b87706b3a",
                }
            }
        },
    },
    output={
        "path": "in/2026/payments.csv",
        "name": "payments.csv",
        "size": 29,
        "sha256": "d2f8ad5a8b3de2898c479a3c0dd53c87ca96ef040759bc4b2fe67b5b87706b3a",
    },
)


class SaveSettings(Config):
    """What every step that saves a file somewhere is told, besides where that is."""

    file: Any = field(
        None,
        title="File",
        help="As an earlier step or an upload gives it.",
        widget="file",
        expression=True,
        placeholder="{{ steps.invoice.file }}",
        required=True,
        order=2,
    )
    folder: Text = field(
        "",
        title="Folder",
        help="Within the connection's folder, with / between folders; made where it is missing.",
        expression=True,
        placeholder="invoices/{{ trigger.body.year }}",
        order=3,
        max_length=1000,
    )
    name: Text = field(
        "",
        title="Name",
        help="With its ending. Empty: as the file is called.",
        expression=True,
        placeholder="{{ trigger.body.number }}.pdf",
        order=4,
        max_length=200,
    )
    exists: Literal["fail", "overwrite", "number"] = field(
        "fail",
        title="If there is one already",
        help="After an interruption it is looked up first whether the file is there already, with the very same bytes.",
        widget="choice",
        options=(("fail", "Fail"), ("overwrite", "Overwrite it"), ("number", "Add a number to the name")),
        order=5,
    )


class Target(NamedTuple):
    """Where a file goes: folders below the connection's, and the name that it is to have."""

    folders: tuple[str, ...]
    name: str

    @property
    def path(self) -> str:
        return "/".join((*self.folders, self.name))

    def called(self, name: str) -> str:
        """The path of another name beside it."""
        return "/".join((*self.folders, name))


def effect(config: Mapping[str, Any]) -> EffectClass:
    """Overwriting with the same bytes leaves the same; else the place is looked at before anything is sent again."""
    return EffectClass.NATURAL if config["exists"] == "overwrite" else EffectClass.QUERYABLE


def patience(config: SaveSettings) -> Patience:
    return Patience(5, 2.0)


def target_of(config: SaveSettings, file: FileValue) -> Target:
    """Where this file goes. Raises PermanentError for what could lead out of the connection's folder."""
    text = config.folder.strip()
    folders = tuple(text.removesuffix("/").split("/")) if text else ()
    if len(folders) > _MOST_DEEP:
        raise _refused(f"“Folder” has more than {_MOST_DEEP} folders within each other.")
    for part in folders:
        if part in ("", ".", "..") or part != clean_name(part):
            raise _refused(
                f"“Folder” became “{text[:200]}”. It must be like invoices/2026: names with / between them, no “..”, "
                "no / at the beginning, and no characters that files cannot have."
            )
    name = config.name.strip() or file.name
    if "/" in name or "\\" in name or name in (".", ".."):
        raise _refused(f"“Name” became “{name[:200]}”, and may have no / in it. Folders stand in “Folder”.")
    return Target(folders, clean_name(name))


def numbered(name: str, number: int) -> str:
    """The name itself for 1, then `a (2).pdf` and so on."""
    if number == 1:
        return name
    stem, dot, ending = name.rpartition(".") if "." in name[1:] else (name, "", "")
    return f"{stem} ({number}){dot}{ending}"


async def save(config: SaveSettings, context: Context, opening: Open, where: str) -> Result:
    """Write the file, and give it its name. `where`: for people. Raises StepFailure."""
    value = await known(config, context)
    target = target_of(config, value)
    temporary = target.called(f".{mark(context)}.part")
    request = request_of(value, target, where)
    try:
        async with opening as folder:
            await folder.make(target.folders)
            if config.exists == "fail" and await folder.size(target.path) is not None:
                raise already_there(target.path, where)
            with await context.files.reading(value) as file:
                await folder.write(temporary, file, value.size)
            name = await _named(folder, temporary, target, config.exists)
            if name is None:
                await folder.remove(temporary)
                raise already_there(target.path, where)
    except StepFailure as failure:
        failure.request = request
        raise
    return saved(value, target.called(name), where, request)


async def is_saved(config: SaveSettings, context: Context, opening: Open, where: str) -> Verdict:
    """Whether the file is there, with the very same bytes, under a name that it could have been given."""
    value = await known(config, context)
    target = target_of(config, value)
    request = request_of(value, target, where)
    async with opening as folder:
        for number in range(1, (MOST_NUMBERS if config.exists == "number" else 1) + 1):
            path = target.called(numbered(target.name, number))
            size = await folder.size(path)
            if size is None:
                break
            if size == value.size and await folder.digest(path) == value.sha256:
                return Happened(saved(value, path, where, request))
    return DidNotHappen(request)


async def known(config: SaveSettings, context: Context) -> FileValue:
    """The file as it is on record. Raises PermanentError where the setting names none."""
    file_id(config.file)
    return await context.files.known(config.file)


def saved(file: FileValue, path: str, where: str, request: JSON) -> Result:
    """What the step gives."""
    output: dict[str, JSON] = {
        "path": path, "name": path.rpartition("/")[2], "size": file.size, "sha256": file.sha256,
    }  # fmt: skip
    return Result(output, note=f"{where}: {path}", request=request, response={"path": path, "sha256": file.sha256})


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with the place of a file, as far as no formula stands in it."""
    found = []
    for name in ("folder", "name"):
        text = config.get(name)
        if isinstance(text, str) and "{{" not in text:
            try:
                target_of(SaveSettings.model_construct(folder="", name="").model_copy(update={name: text}), _ANY)
            except PermanentError as refused:
                found.append((name, "path", refused.message))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    """The card's second line."""
    if config["name"]:
        return f"As {words.value(config['name'])}"
    return f"In {words.value(config['folder'])}" if config["folder"] else "As the file is called"


def already_there(path: str, where: str) -> PermanentError:
    """The step is to fail where there is one."""
    return PermanentError(
        "There is such a file already",
        f"{where} has a file “{path}” already. Choose another name, or what to do then, under “If there is one "
        "already”.",
        "file_exists",
    )


async def _named(folder: Folder, temporary: str, target: Target, exists: str) -> str | None:
    if exists != "number":
        done = await folder.move(temporary, target.path, replace=exists == "overwrite")
        return target.name if done else None
    for number in range(1, MOST_NUMBERS + 1):
        name = numbered(target.name, number)
        path = target.called(name)
        # Somebody may be quicker: then it is the next one.
        if await folder.size(path) is None and await folder.move(temporary, path, replace=False):
            return name
    return None


def mark(context: Context) -> str:
    """By which what this step wrote is known, on every try."""
    return hashlib.sha256(context.idempotency_key.encode()).hexdigest()[:24]


def request_of(file: FileValue, target: Target, where: str) -> JSON:
    """What is written down of it."""
    shown: dict[str, JSON] = {"id": file.id, "name": file.name, "size": file.size, "sha256": file.sha256}
    return {"to": where, "path": target.path, "file": shown}


def _refused(says: str) -> PermanentError:
    return PermanentError("This is no place for a file", says, "path")


_ANY: Final = FileValue("", "file", "", 0, "")
