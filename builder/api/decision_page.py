"""`/d/<token>`: the page that the link of a mail opens. Reading it never decides: mail scanners open links too.

It is a small page of its own, without scripts and with nothing from elsewhere, and works without signing in where the
step says that the link is enough. Else it leads into the inbox.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from builder.api import recorded
from builder.api.link_words import words_of
from builder.audit.chain import Actor
from runtime import api as runtime_api
from runtime.api.links import LinkView
from runtime.contracts import AlreadyDecided, NotAsked, NotFound, TaskRefused, VoteView

STYLE: Final = """
@font-face{font-family:"Inter Variable";font-weight:100 900;font-display:swap;
src:url("/assets/inter-latin-wght-normal.woff2") format("woff2-variations")}
:root{color-scheme:light dark;--canvas:#f4f6f9;--surface:#ffffff;--border:#dde2ea;--borderStrong:#8792a4;--ink:#152033;
--ink2:#4a566b;--accent:#3346c2;--onAccent:#ffffff;--focus:#3346c2;--err:#a51d12;--wait:#8f6400;
--waitSoft:#fdf3dc}
@media(prefers-color-scheme:dark){:root{--canvas:#0f141c;--surface:#161c26;--border:#2b3544;--borderStrong:#6b7788;
--ink:#e8ecf3;--ink2:#b4bece;--accent:#8fa0ff;--onAccent:#10162e;--focus:#a8b5ff;--err:#ff8f6b;
--wait:#f0b94a;--waitSoft:#352a12}}
*{box-sizing:border-box}body{margin:0;background:var(--canvas);color:var(--ink);
font:15px/1.5 "Inter Variable",Inter,system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:36rem;margin:0 auto;padding:1.5rem 1rem 3rem}
article{background:var(--surface);border:1px solid var(--border);border-radius:12px;padding:1.25rem}
h1{font-size:1.3rem;line-height:1.3;margin:0 0 .5rem;overflow-wrap:anywhere}p{margin:.5rem 0;
overflow-wrap:anywhere;white-space:pre-line}
.warnings{background:var(--waitSoft);border-left:4px solid var(--wait);border-radius:8px;padding:.6rem .9rem;
margin:1rem 0}.warnings ul{margin:.25rem 0 0;padding-left:1.2rem;overflow-wrap:anywhere}
.faint{color:var(--ink2);font-size:.9rem}.amount{font-size:1.6rem;font-weight:650;
font-variant-numeric:tabular-nums;margin:.25rem 0}
dl{margin:1rem 0;border-top:1px solid var(--border)}dl div{display:flex;gap:1rem;padding:.45rem 0;
border-bottom:1px solid var(--border)}
dt{flex:0 0 38%;color:var(--ink2)}dd{margin:0;flex:1;overflow-wrap:anywhere}
dl .wide{display:block}.wide dd{margin-top:.35rem}table{width:100%;border-collapse:collapse;font-size:.92rem}
th,td{padding:.35rem .6rem .35rem 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{color:var(--ink2);
font-weight:600}tbody tr{border-top:1px solid var(--border)}.number{text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}
@media(max-width:30rem){thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tbody tr{display:block}tbody tr{padding:.35rem 0}td{display:flex;gap:1rem;padding:.15rem 0;text-align:right;
justify-content:space-between}td::before{content:attr(data-name);color:var(--ink2);text-align:left}}
label{display:block;font-weight:600;margin-top:1rem}textarea{width:100%;min-height:5rem;font:inherit;color:inherit;
background:var(--surface);border:1px solid var(--borderStrong);border-radius:8px;padding:.6rem;margin-top:.35rem}
.buttons{display:flex;gap:.75rem;margin-top:1rem;flex-wrap:wrap}button{flex:1 1 9rem;min-height:50px;font:inherit;
font-weight:650;border-radius:10px;border:1px solid var(--borderStrong);background:var(--surface);color:var(--ink);
cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:var(--onAccent)}
.wrong{color:var(--err);font-weight:600}
a{color:var(--accent)}:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
"""
_STYLE_HASH: Final = "'sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode() + "'"
_POLICY: Final = csp_replace(
    {"style-src": [_STYLE_HASH], "font-src": ["'self'"], "script-src": ["'none'"], "form-action": ["'self'"]}
)


@require_http_methods(["GET", "HEAD", "POST"])
@_POLICY
@csrf_protect
def decision(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show the question of this link; decide it only when the form on the page is sent."""
    found = runtime_api.link(token)
    if found is None:
        return _page(words_of(request.META.get("HTTP_ACCEPT_LANGUAGE", "en")), "unknown", status=404)
    words = words_of(found.language)
    if not found.is_enough:
        if request.method == "POST":
            return _page(words, "sign_in", link=_inbox(found.task.id), status=403)
        return HttpResponseRedirect(_inbox(found.task.id))
    if request.method == "POST":
        return _decide(request, token, found, words)
    return _shown(request, found, words)


def _decide(request: HttpRequest, token: str, found: LinkView, words: Mapping[str, str]) -> HttpResponse:
    comment = str(request.POST.get("comment", ""))
    if found.voter is None:
        return _page(words, "gone", status=403)
    outcome = str(request.POST.get("outcome", ""))
    deed = recorded.Recording(
        "task.decided_by_link",
        actor=Actor("link", str(found.voter.id), found.voter.name),
        origin=recorded.origin_of(request),
        workspace_id=found.workspace_id,
        said={"task_id": str(found.task.id), "outcome": outcome, "comment": comment},
    )
    try:
        with deed.kept():
            runtime_api.decide(
                workspace_id=found.workspace_id,
                task_id=found.task.id,
                outcome=outcome,
                voter=found.voter,
                comment=comment,
                via="link",
            )
    except TaskRefused as refused:
        wrong = " ".join(refused.fields.values())
        if "comment" in refused.fields and not comment.strip():
            wrong = words["say_why"]
        return _shown(request, found, words, wrong=wrong, comment=comment, status=422)
    except (AlreadyDecided, NotAsked, NotFound):
        return _shown(request, runtime_api.link(token) or found, words, status=409)
    # Shown by another request: loading the page again must not send the answer again.
    return HttpResponseRedirect(request.path, status=303)


def _shown(
    request: HttpRequest,
    found: LinkView,
    words: Mapping[str, str],
    *,
    wrong: str = "",
    comment: str = "",
    status: int = 200,
) -> HttpResponse:
    task = found.task
    if not found.may_decide:
        link = "" if task.anew is None or found.voter is None else _inbox(task.anew)
        return _page(
            words, _ended(found), title=task.title, says=_said(found, words), link=link, to="see_anew", status=status
        )
    spec = task.spec
    parts = [f"<h1>{escape(task.title)}</h1>"]
    absent = None if found.voter is None else runtime_api.stands_in_for(task=task, voter=found.voter)
    if absent is not None:
        parts.append(f"<p><b>{escape(words['for'].format(name=absent.name))}</b></p>")
    if found.amount:
        parts.append(f'<p class="amount">{escape(found.amount)}</p>')
    if spec.get("text"):
        parts.append(f"<p>{escape(str(spec['text']))}</p>")
    if warnings := spec.get("warnings"):
        listed = "".join(f"<li>{escape(str(one))}</li>" for one in warnings)
        title = words["warnings_one" if len(warnings) == 1 else "warnings_other"]
        parts.append(f'<div class="warnings"><b>{escape(title)}</b><ul>{listed}</ul></div>')
    facts = "".join(_fact(str(fact["label"]), fact["value"], words) for fact in spec.get("facts") or ())
    if facts:
        parts.append(f"<dl>{facts}</dl>")
    needs = any(choice["comment"] for choice in spec["choices"])
    buttons = "".join(_button(choice, words, main=at == 0) for at, choice in enumerate(spec["choices"]))
    parts.append(
        f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{escape(get_token(request))}">'
        f'<label for="comment">{escape(words["comment"])}</label>'
        + (f'<p class="faint" id="why">{escape(words["comment_needed"])}</p>' if needs else "")
        + (f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else "")
        + f'<textarea id="comment" name="comment" maxlength="2000"{" aria-describedby=why" if needs else ""}>'
        + f"\n{escape(comment)}</textarea>"
        + f'<div class="buttons">{buttons}</div></form>'
        + f'<p class="faint">{escape(words["as"].format(email=found.email))}</p>'
    )
    return _html(words, task.title, "".join(parts), status)


def _fact(label: str, value: Any, words: Mapping[str, str]) -> str:
    if not (isinstance(value, dict) and {"columns", "rows", "more", "more_columns"} == set(value)):
        return f"<div><dt>{escape(label)}</dt><dd>{escape(_text(value))}</dd></div>"
    table = value
    # The roles are said, for on a phone each row is a block of its own, and no table to a screen reader then.
    names = [str(column["name"]) for column in table["columns"]]
    looks = [' class="number"' if column["number"] else "" for column in table["columns"]]
    heads = "".join(
        f'<th scope="col" role="columnheader"{look}>{escape(name)}</th>'
        for name, look in zip(names, looks, strict=True)
    )
    rows = "".join(
        '<tr role="row">'
        + "".join(
            f'<td role="cell" data-name="{escape(name)}"{look}>{escape(_text(cell))}</td>'
            for name, look, cell in zip(names, looks, row, strict=True)
        )
        + "</tr>"
        for row in table["rows"]
    )
    more = [
        words[f"{kind}_one" if table[kind] == 1 else f"{kind}_other"].format(count=table[kind])
        for kind in ("more", "more_columns")
        if table[kind]
    ]
    rest = f'<p class="faint">{escape(" · ".join(more))}</p>' if more else ""
    return (
        f'<div class="wide"><dt>{escape(label)}</dt><dd><table role="table" aria-label="{escape(label)}">'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>'
        f"{rest}</dd></div>"
    )


def _button(choice: Mapping[str, Any], words: Mapping[str, str], *, main: bool) -> str:
    label = str(choice["label"])
    if not choice.get("own"):
        label = words.get(f"choice_{choice['id']}", label)
    look = ' class="main"' if main else ""
    return f'<button{look} name="outcome" value="{escape(str(choice["id"]))}">{escape(label)}</button>'


def _ended(found: LinkView) -> str:
    if found.voter is None:
        return "gone"
    if found.task.over is not None:
        return "over" if found.task.over == "late" else "anew"
    if found.task.status == "open":
        mine = _mine(found)
        if mine is not None:
            return "said" if mine.voter == found.voter.id else "said_for"
        pending = any(one.until is not None for one in found.task.pending)
        return "pending" if pending else "others"
    return found.task.status if found.task.status in ("late", "cancelled") else "decided"


def _mine(found: LinkView) -> VoteView | None:
    """What they said themselves, or another in their place while they were away."""
    if found.voter is None:
        return None
    who, votes = found.voter.id, found.task.votes
    own = (vote for vote in votes if vote.voter == who)
    return next(own, next((vote for vote in votes if vote.for_id == who), None))


def _said(found: LinkView, words: Mapping[str, str]) -> str:
    """Who decided, and what."""
    votes = found.task.votes
    if found.voter is None or not votes or found.task.status not in ("open", "decided"):
        return ""
    last = _mine(found) if found.task.status == "open" else votes[-1]
    if last is None:
        return ""
    by = words["by_for"].format(by=last.name, name=last.for_name) if last.for_name else last.name
    own = {one["id"]: one["label"] for one in found.task.spec["choices"] if one.get("own")}
    return f"{by}: {own.get(last.outcome) or words.get(f'said_{last.outcome}', last.outcome)}"


def _page(
    words: Mapping[str, str],
    kind: str,
    *,
    title: str = "",
    says: str = "",
    link: str = "",
    to: str = "inbox",
    status: int = 200,
) -> HttpResponse:
    parts = [f"<h1>{escape(title or words['title'])}</h1>", f"<p>{escape(words[kind])}</p>"]
    if says:
        parts.append(f"<p><b>{escape(says)}</b></p>")
    if link:
        parts.append(f'<p><a href="{escape(link)}">{escape(words[to])}</a></p>')
    return _html(words, title or words["title"], "".join(parts), status)


def _html(words: Mapping[str, str], title: str, inside: str, status: int) -> HttpResponse:
    page = (
        f'<!doctype html><html lang="{words["language"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} · Millrace</title><style>{STYLE}</style></head>"
        f"<body><main><article>{inside}</article></main></body></html>"
    )
    # The address is a secret. `same-origin`, as everywhere, keeps it from others; with `no-referrer` browsers would not
    # say where the form comes from either, and it would be refused.
    return HttpResponse(page, status=status)


def _inbox(task_id: UUID) -> str:
    return "/inbox?" + urlencode({"task": str(task_id)})


def _text(value: Any) -> str:
    if isinstance(value, list) and value:
        # Such as several files; whoever wants to see them signs in.
        return ", ".join(map(_text, value))
    if isinstance(value, dict) and {"id", "name", "mime", "size", "sha256"} == set(value):
        return str(value["name"])
    return "–" if value in (None, "") else str(value)
