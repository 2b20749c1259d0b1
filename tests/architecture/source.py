"""The project's own files, as the promises look at them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".tools", ".data", "node_modules", "dist", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the project: what git tracks and what it would, else what lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
        return tuple(sorted(ROOT / name for name in names if (ROOT / name).is_file()))
    return tuple(sorted(path for path in walk(ROOT) if path.is_file()))


def walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder except what is fetched or built."""
    for path in folder.iterdir():
        if path.name in NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


def python_files(*rooms: str) -> list[Path]:
    """The Python files of some rooms, such as `builder`, `runtime/nodes`."""
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).as_posix().startswith(rooms)]


def name_of(path: Path) -> str:
    """The file's name from the project's top."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_bytes(), filename=str(path))


def imports(path: Path) -> set[str]:
    """The full names of all modules that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain, empty where it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f"?.{node.attr}"
    return ""
