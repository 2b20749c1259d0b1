"""One file, one step type; nothing else lives among them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, imports, name_of, python_files, tree

NODE_FILES = [path for path in python_files("runtime/nodes/") if path.name != "__init__.py"]


def declared_types(path: Path) -> list[str]:
    """What a file declares at its top level: `SOMETHING = NodeType(...)` or a class that derives from it."""
    found = []
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef) and any("NodeType" in ast.unparse(base) for base in node.bases):
            found.append(node.name)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func).split("[")[0]
            if called.split(".")[-1] == "NodeType":
                found.append(ast.unparse(node))
    return found


def test_there_are_step_types() -> None:
    assert len(NODE_FILES) >= 13


@pytest.mark.parametrize("path", NODE_FILES, ids=name_of)
def test_a_node_file_declares_exactly_one_step_type(path: Path) -> None:
    assert len(declared_types(path)) == 1


@pytest.mark.parametrize("path", NODE_FILES, ids=name_of)
def test_a_node_file_takes_from_the_runtime_its_sdk_only(path: Path) -> None:
    ours = {name for name in imports(path) if name.split(".")[0] in ("runtime", "builder", "tests")}
    assert {name for name in ours if not name.startswith("runtime.sdk")} == set()


@pytest.mark.parametrize("path", NODE_FILES, ids=name_of)
def test_a_node_file_has_a_test_of_its_own(path: Path) -> None:
    tests = [test for test in python_files("tests/nodes/") if path.stem in test.stem]
    assert tests, f"tests/nodes/ holds no test_{path.stem}.py"


def test_folders_of_nodes_hold_nodes_only() -> None:
    for folder in (ROOT / "runtime" / "nodes").rglob("*"):
        if folder.is_dir() and folder.name != "__pycache__":
            assert not [path for path in folder.iterdir() if path.suffix not in ("", ".py")]
