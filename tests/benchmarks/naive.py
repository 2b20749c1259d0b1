"""The same statements as a first program makes them: a template, WeasyPrint, and one after the other in one process.

For each a PDF, its sha256, a row in SQLite and a call to the ledger. What `bulk` is compared with: it has no tries, no
pause, no manifest and no memory of what was done.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
import jinja2

from runtime.documents import fonts, html
from tests.benchmarks import target
from tests.benchmarks.figures import Figure
from tests.benchmarks.figures import target as ledger
from tests.product import ROOT, ProductFailed

#: Enough for a steady pace; a whole school would take half an hour.
DOCUMENTS: Final = 300
_LONGEST: Final = 1_800

_TEMPLATE: Final = """\
<html lang="en"><head><title>Statement of account {{ it.number }}</title><style>
@page { size: A4; margin: 18mm; @bottom-left { content: "Harbour School · 12 Quay Road · Dublin 2"; font-size: 7pt }
        @bottom-right { content: counter(page) " / " counter(pages); font-size: 7pt } }
body { font: 9.5pt "Noto Sans"; color: #1f2933 } h1 { font-size: 19pt; color: #1f5f8b }
.sides { display: flex; gap: 10mm } .sides > div { flex: 1 } table { width: 100%; border-collapse: collapse }
td, th { padding: .4mm 1mm; font-size: 8.5pt; text-align: left; border-bottom: .2mm solid #d5dbe1 }
.n { text-align: right }
</style></head><body>
<h1>Statement of account</h1>
<div class="sides">{% for who, label in ((it.from, "From"), (it.to, "Customer")) %}
<div><small>{{ label }}</small><br>{{ who.name }}<br>{{ who.street }}<br>{{ who.city }}</div>{% endfor %}</div>
<p>Account {{ it.number }}<br>Date {{ it.date }}<br>Balance {{ "€{:,.2f}".format(it.balance) }}</p>
<table><thead><tr><th>Date<th>Reference<th>Text<th class="n">Charges<th class="n">Payments</thead>
{% for row in it.entries %}<tr><td>{{ row.date }}<td>{{ row.reference }}<td>{{ row.text }}
<td class="n">{{ "€{:,.2f}".format(row.charge) }}<td class="n"></tr>{% endfor %}
<tr><th>Total<th><th><th class="n">{{ "€{:,.2f}".format(it.balance) }}<th></table>
{% if it.overdue %}<p><b>Your account is overdue.</b></p>{% endif %}
<small>Tell us within 30 days where this does not fit your books.</small></body></html>
"""


def compared(rates: Mapping[str, float]) -> list[tuple[str, Figure]]:
    """The naive loop's documents a minute, and how many times as many `rates` are, by mode; with their modes. Nothing,
    with a line that says why, where the extra is not installed. Raises ProductFailed."""
    if (lacking := html.missing()) is not None:
        print(f"The naive loop with WeasyPrint is left out. {lacking}", file=sys.stderr, flush=True)
        return []
    with ledger() as port:
        command = [sys.executable, "-m", "tests.benchmarks.naive", str(DOCUMENTS), str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_LONGEST, check=False)
    if done.returncode != 0:
        raise ProductFailed(done.stderr[-2000:])
    told: dict[str, Any] = json.loads(done.stdout)
    if told["pages"] != told["documents"]:
        raise ProductFailed(f"{told['documents']} statements had {told['pages']} pages: they are to have one each.")
    naive = told["documents"] / told["took_s"] * 60
    found = [("naive", Figure("naive_documents_per_min", naive, "documents/min", told))]
    for mode, rate in rates.items():
        details = {"documents_per_min": round(rate), "naive_documents_per_min": round(naive)}
        found.append((mode, Figure("bulk_vs_naive_ratio", rate / naive, "times", details)))
    return found


def loop(documents: int, port: int) -> dict[str, Any]:
    """Make them, and say how long it took and what memory."""
    # The letters that Millrace draws with, whatever the machine has.
    os.environ["FONTCONFIG_FILE"] = str(Path(fonts.__file__).with_name("fonts.conf"))
    import weasyprint

    template = jinja2.Environment(autoescape=True).from_string(_TEMPLATE)
    pages = 0
    with tempfile.TemporaryDirectory(prefix="millrace-naive-") as name, httpx2.Client(trust_env=False) as client:
        folder = Path(name)
        rows = sqlite3.connect(folder / "statements.sqlite")
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("CREATE TABLE statements (number TEXT PRIMARY KEY, amount NUMERIC, sha256 TEXT)")
        began = time.monotonic()
        for number in range(1, documents + 1):
            found = target.statement(number)
            document = weasyprint.HTML(string=template.render(it=found)).render()
            pages += len(document.pages)
            pdf = document.write_pdf()
            digest = hashlib.sha256(pdf).hexdigest()
            (folder / f"{found['number']}.pdf").write_bytes(pdf)
            with rows:
                rows.execute("INSERT INTO statements VALUES (?, ?, ?)", (found["number"], found["amount"], digest))
            body = {"number": found["number"], "amount": found["amount"], "file": digest}
            client.post(f"http://127.0.0.1:{port}/ledger", json=body).raise_for_status()
        took = time.monotonic() - began
        rows.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"documents": documents, "took_s": round(took, 1), "pages": pages, "peak_rss_mb": round(memory, 1)}


if __name__ == "__main__":
    print(json.dumps(loop(int(sys.argv[1]), int(sys.argv[2]))))
