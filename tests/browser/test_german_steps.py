"""Building in German: what step types say is German, what is stored is what it is in any language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import fits
from tests.browser.editing import Editor, Opens, edit_fields, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
RULE = {"left": "{{ trigger.scheduled_for }}", "op": "is_not_empty", "type": "date"}


def _document() -> dict[str, Any]:
    weekly = {"repeat": "weekdays", "weekdays": ["mon", "thu"], "at": "08:30", "ends_on": "2031-01-01"}
    begin = {**step("begin", "trigger.schedule@1", "Montags", (0, 0)), "config": weekly}
    return graph(
        [
            begin,
            step("check", "flow.decision@1", "Prüfen", (0, 150), conditions={"match": "all", "rules": [RULE]}),
            step("call", "http.request@1", "Abrufen", (0, 300), method="POST", url="https://api.example.com/orders"),
            edit_fields("set", "Vorbereiten", (340, 0), number="{{ steps.call.status }}"),
            step("each", "flow.for_each@1", "Jede Zeile", (340, 150), items="{{ steps.call.body.items }}", at_a_time=4),
            step("ask", "people.approval@1", "Freigeben", (340, 450), title="Auszahlen?", due=2),
        ],
        [("begin", "check"), ("check", "yes", "call"), ("call", "set"), ("set", "each"), ("each", "ask")],
    )


def _german(signed_in: Opens, api: Api, name: str, viewport: dict[str, int]) -> Editor:
    editor = new_editor(signed_in, api, name, _document(), viewport=viewport)
    editor.page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    editor.page.reload()
    ready = editor.page.get_by_role("application").or_(editor.page.get_by_role("tree", name="Gliederung"))
    expect(ready.first).to_be_visible()
    return editor


def _whole(page: Page) -> None:
    """No label of the step's form is cut off or wider than its place."""
    cut = page.evaluate(
        """() => {
          const texts = ":is(label, legend, h3, h4, summary, p, small)";
          const cut = (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline";
          const all = [...document.querySelectorAll("[data-testid=step-panel] " + texts)];
          return all.filter((one) => one.checkVisibility() && cut(one)).map((one) => one.textContent);
        }"""
    )
    assert cut == []


def test_steps_are_found_and_set_up_in_german(signed_in: Opens, api: Api, shot: Any) -> None:
    editor = _german(signed_in, api, "Auf Deutsch", DESK)
    page = editor.page
    for key, line in {
        "begin": "Montag und Donnerstag um 08:30 bis 01.01.2031",
        "check": "ist ausgefüllt",
        "set": "Setzt number auf Abrufen › Status",
        "each": "Abrufen › Items, 4 zugleich",
        "ask": "Fragt jemanden: Auszahlen?",
    }.items():
        expect(editor.card(key)).to_contain_text(line)
    page.keyboard.press("/")
    palette = page.get_by_role("complementary", name="Schritte zum Hinzufügen")
    expect(palette.locator("input")).to_be_focused()
    expect(palette.get_by_test_id("palette-http.request")).to_contain_text("HTTP-Anfrage")
    shot(page, "german-palette")
    for wanted in ("schnittstelle", "curl", "HTTP request"):
        palette.locator("input").fill(wanted)
        expect(palette.get_by_test_id("palette-http.request")).to_be_visible()
    palette.locator("input").fill("")
    page.keyboard.press("Escape")
    editor.card("call").get_by_role("button").first.click()
    panel = editor.panel
    expect(panel.get_by_text("Adresse", exact=True).first).to_be_visible()
    panel.get_by_label("Inhalt", exact=True).select_option(label="Formularfelder")
    panel.get_by_role("button", name="Erläuterung zu Methode").hover()
    expect(page.get_by_text("GET liest; POST legt an; PUT und PATCH ändern; DELETE entfernt.")).to_be_visible()
    shot(page, "german-panel")
    _whole(page)
    for key in ("begin", "each", "ask"):
        editor.leave()
        editor.card(key).get_by_role("button").first.click()
        expect(panel.get_by_label("Name des Schritts")).to_be_visible()
        # All of the form, also what is folded away.
        panel.evaluate("one => one.querySelectorAll('details').forEach((more) => { more.open = true; })")
        shot(page, f"german-panel-{key}")
        _whole(page)
    editor.leave()
    page.keyboard.press("a")
    expect(page.get_by_role("combobox", name="Was soll geschehen?")).to_be_focused()
    page.keyboard.type("mail")
    expect(page.get_by_role("option", selected=True)).to_have_text(re.compile("^E-Mail senden"))
    page.keyboard.press("Enter")
    expect(panel.get_by_label("Name des Schritts")).to_have_value("E-Mail senden")
    document = editor.draft()
    found = {node["type"]: node for node in document["nodes"]}
    assert found["http.request@1"]["config"]["body_type"] == "form"
    assert found["email.send@1"]["key"] == "e_mail_senden"


def test_on_a_phone_german_words_have_room(signed_in: Opens, api: Api, shot: Any) -> None:
    editor = _german(signed_in, api, "Auf dem Telefon", PHONE)
    page = editor.page
    expect(page.get_by_test_id("outline-begin")).to_contain_text("Montag und Donnerstag um 08:30 bis 01.01.2031")
    shot(page, "german-phone")
    for key, label in {"ask": "Wer entscheidet", "each": "Woher die Einträge kommen", "call": "Adresse"}.items():
        page.get_by_test_id(f"outline-{key}").click()
        expect(editor.panel.get_by_text(label, exact=True).first).to_be_visible()
        shot(page, f"german-phone-{key}")
        _whole(page)
        fits(page)
        editor.leave()


def test_what_is_wrong_with_a_workflow_is_said_in_german(signed_in: Opens, api: Api, shot: Any) -> None:
    """As the server finds it: in the bar, in its list, in the form, and before publishing."""
    document = _document()
    document["nodes"] += [
        step("lonely", "http.request@1", "Nachfragen", (680, 150), url="ledger.example.com", success_codes="all"),
        edit_fields("sum", "Summe", (680, 300), total="{{ summ(1) }}"),
    ]
    editor = new_editor(signed_in, api, "Fehlerhaft", document, viewport=DESK)
    page = editor.page
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.reload()
    bar = page.get_by_test_id("problems-bar")
    expect(bar).to_contain_text("„Jede Zeile“ hat nichts zu tun: Setzen Sie mindestens einen Schritt hinein.")
    bar.get_by_role("button").first.click()
    listed = page.locator(".mantine-Popover-dropdown")
    for said in (
        "„Gilt als Erfolg“ braucht Codes und Bereiche wie 200-299, 404; „all“ ist keines davon.",
        "„Wert“: Eine Funktion „summ“ gibt es nicht. Meinten Sie „sum“?",
        "„Nachfragen“ ist nicht verknüpft und läuft darum nie.",
        "„Adresse“ muss mit https:// oder http:// beginnen.",
    ):
        expect(listed).to_contain_text(said)
    shot(page, "german-problems")
    page.keyboard.press("Escape")
    editor.card("lonely").get_by_role("button").first.click()
    expect(editor.panel.get_by_text("„Adresse“ muss mit https:// oder http:// beginnen.")).to_be_visible()
    editor.leave()
    page.keyboard.press("Control+Shift+P")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("„Wert“: Eine Funktion „summ“ gibt es nicht.")
    shot(page, "german-problems-publish")


def test_a_connection_is_asked_for_in_german(signed_in: Opens, shot: Any) -> None:
    page = signed_in("/connections", viewport=DESK)
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.reload()
    page.get_by_role("button", name="Neue Verbindung").first.click()
    page.get_by_role("menuitem", name="SFTP-Server").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Benutzername")).to_be_visible()
    expect(dialog.get_by_text("Oder unten ein privater Schlüssel.")).to_be_visible()
    expect(dialog.get_by_role("textbox", name="Privater Schlüssel")).to_be_visible()
    shot(page, "german-connection")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(dialog.get_by_role("textbox", name="Schlüssel des Servers")).to_be_visible()
    wider = dialog.evaluate("""one => [...one.querySelectorAll("form *")].filter((part) =>
      part.checkVisibility() && part.getBoundingClientRect().right > one.getBoundingClientRect().right + 1).length""")
    dialog.get_by_role("button", name="Speichern", exact=True).scroll_into_view_if_needed()
    shot(page, "german-connection-phone")
    assert wider == 0
    fits(page)


def test_a_cron_expression_is_told_in_german_words(signed_in: Opens, api: Api, shot: Any) -> None:
    config = {"repeat": "cron", "cron": "30 8,12 * * 1-5", "timezone": "Europe/Berlin"}
    clock = {**step("begin", "trigger.schedule@1", "Takt", (0, 0)), "config": config}
    document = graph([clock, edit_fields("keep", "Merken", (0, 150), day="{{ trigger.date }}")], [("begin", "keep")])
    editor = new_editor(signed_in, api, "Im Takt", document, viewport=DESK)
    page = editor.page
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.reload()
    expect(editor.card("begin")).to_contain_text("Um 08:30 und 12:30, Montag bis Freitag")
    editor.card("begin").get_by_role("button").first.click()
    preview = editor.panel.get_by_role("region", name="Die nächsten zehn Starts")
    expect(preview).to_contain_text("Um 08:30 und 12:30, Montag bis Freitag")
    shot(page, "german-cron")
    editor.panel.get_by_role("textbox", name="Cron-Ausdruck").fill("30 25 * * *")
    wrong = "„30 25 * * *“ ist kein Cron-Ausdruck: Die Stunde stimmt nicht."
    expect(editor.panel.get_by_text(wrong)).to_have_count(2)
    expect(preview).to_contain_text(wrong)
    expect(page.get_by_test_id("problems-bar")).to_contain_text(wrong)
    shot(page, "german-cron-wrong")
    api.publish("Im Takt und live", document)
    page.goto("/schedules")
    expect(page.get_by_text("Um 08:30 und 12:30, Montag bis Freitag").first).to_be_visible()
    shot(page, "german-schedules")
