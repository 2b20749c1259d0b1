"""Calls that are never made, doors that only one file opens."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from runtime.store.failpoints import COMMIT_POINTS, EFFECT_POINTS
from tests.architecture.source import ROOT, dotted, files, imports, name_of, python_files, tree

PRODUCT = ("builder/", "runtime/", "manage.py")

#: S111. A call by any of these names fails the build; the reviewed exceptions stand below.
BANNED_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "tempfile.mktemp", "mark_safe",
    "django.utils.safestring.mark_safe", "safestring.mark_safe", "RawSQL", "yaml.load", "?.extra", "SafeString",
}  # fmt: skip
BANNED_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "commands", "pty"}
REVIEWED_CALLS: dict[tuple[str, str], str] = {}

#: S43. Who may speak to the network, and why.
NETWORK = {"socket", "ssl", "smtplib", "imaplib", "ftplib", "poplib", "telnetlib", "urllib.request", "http.client"}
NETWORK |= {"requests", "httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "urllib3", "paramiko"}
MAY_USE_THE_NETWORK = {
    "runtime/worker/egress.py": "the only door from a step to the world",
    "runtime/worker/egress_mail.py": "the door's half for mail; the door alone makes one, with its own guard",
    "runtime/worker/egress_sftp.py": "the door's half for SFTP; the same",
    "runtime/worker/egress_pool.py": "its connections; it opens none but through the door's own network",
    "runtime/sdk/notifier_door.py": "stands in place of `requests` in Apprise's services; its adapter opens nothing",
    "runtime/worker/storage.py": "the operator's own storage of artifacts; steps never reach it",
    "builder/config/traces/spans.py": "sends spans to the operator's own collector; no workflow has a say in where",
    "builder/practice/__main__.py": "binds the practice company's listening socket",
    "builder/config/server.py": "hands uvicorn its listening sockets",
    "runtime/worker/ticker.py": "asks for this machine's name",
}

#: Who may open a transaction in the runtime, and which files know how the two databases say it.
TRANSACTIONS = {"atomic", "set_autocommit", "on_commit", "begin"}
MAY_OPEN_TRANSACTIONS = {
    "runtime/store/commits.py": "every commit point is named there",
}
SAYS_BEGIN = {
    "runtime/store/link_postgres.py": "the writer's connection to PostgreSQL",
    "runtime/store/link_sqlite.py": "the writer's connection to SQLite",
}


def test_no_banned_call_is_made() -> None:
    found = []
    for path in python_files(*PRODUCT):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            name = dotted(node.func)
            banned = name in BANNED_CALLS or (name.startswith("?.") and f"?.{name.split('.')[-1]}" in BANNED_CALLS)
            if name.endswith(".extra") and not name.startswith("self."):
                banned = True
            if banned and (name_of(path), name) not in REVIEWED_CALLS:
                found.append(f"{name_of(path)}:{node.lineno}: {name}")
    assert found == []


def test_no_process_is_started_through_a_shell() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files(*PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]
    assert found == []


def test_no_module_that_runs_what_it_reads_is_imported() -> None:
    found = {name_of(path): bad for path in python_files(*PRODUCT) if (bad := imports(path) & BANNED_MODULES)}
    assert found == {}


def test_no_assert_guards_the_product_against_its_callers() -> None:
    """`python -O` drops asserts; where one narrows a type it must hold a bare `isinstance` or `is not None`."""
    narrowing = re.compile(r"isinstance\(.*\)|.* is not None|.* is None|callable\(.*\)|.*\.is_finite\(\)")
    found = [
        f"{name_of(path)}:{node.lineno}: assert {ast.unparse(node.test)[:60]}"
        for path in python_files(*PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assert) and not narrowing.fullmatch(ast.unparse(node.test))
    ]
    assert found == []


def test_no_html_is_put_into_the_page_unescaped() -> None:
    bad = re.compile("dangerously" + "SetInnerHTML|\\.inner" + "HTML\\s*=|document\\.wri" + "te|new Func" + "tion\\(")
    found = [
        name_of(path)
        for path in files()
        if path.suffix in (".ts", ".tsx", ".html")
        and name_of(path).startswith("frontend/")
        and bad.search(path.read_text())
    ]
    assert found == []


def test_only_the_egress_client_speaks_to_the_network() -> None:
    found = {
        name_of(path): sorted(bad)
        for path in python_files(*PRODUCT)
        if name_of(path) not in MAY_USE_THE_NETWORK and (bad := network_modules(path))
    }
    assert found == {}


def test_only_the_egress_client_has_the_pool_of_connections() -> None:
    users = [name_of(path) for path in python_files(*PRODUCT) if "runtime.worker.egress_pool" in imports(path)]
    assert users == ["runtime/worker/egress.py"]


def network_modules(path: Path) -> set[str]:
    """The network modules a file imports; `httpx2.URL` counts as much as `httpx2`."""
    return {name for name in imports(path) for module in NETWORK if name == module or name.startswith(f"{module}.")}


def test_only_one_file_opens_transactions_in_the_runtime() -> None:
    found = []
    for path in python_files("runtime/"):
        if name_of(path) in MAY_OPEN_TRANSACTIONS or "/migrations/" in name_of(path):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in TRANSACTIONS:
                found.append(f"{name_of(path)}:{node.lineno}")
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if name_of(path) not in SAYS_BEGIN and re.match(r"\s*(BEGIN|COMMIT|START TRANSACTION)\b", said):
                found.append(name_of(path))
    assert found == []


def test_the_lists_of_exceptions_name_files_that_need_them() -> None:
    for name in (*MAY_USE_THE_NETWORK, *MAY_OPEN_TRANSACTIONS, *SAYS_BEGIN, *(name for name, _ in REVIEWED_CALLS)):
        assert (ROOT / name).exists(), f"{name} is gone: take it off the list"


def test_every_point_where_a_test_can_kill_is_passed_somewhere() -> None:
    """A point that nobody passes proves nothing."""
    sources = "\n".join(path.read_text() for path in python_files(*PRODUCT) if path.name != "failpoints.py")
    assert {name for name in COMMIT_POINTS | EFFECT_POINTS if f'"{name}' not in sources} == set()
