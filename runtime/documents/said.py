"""What a table says by itself, in the language of its page. Languages that are not here say it in English."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Said", "said"]


class Said(NamedTuple):
    """Words for sums; `carried` stands at the foot of a page, `brought` at the head of the next."""

    total: str
    subtotal: str
    carried: str
    brought: str


_ENGLISH: Final = Said("Total", "Subtotal", "Carried forward", "Brought forward")
_SAID: Final = {
    "bg": Said("Общо", "Междинна сума", "За пренасяне", "Пренос"),
    "cs": Said("Celkem", "Mezisoučet", "Převod", "Převod"),
    "da": Said("I alt", "Subtotal", "Overført", "Overført"),
    "de": Said("Summe", "Zwischensumme", "Übertrag", "Übertrag"),
    "el": Said("Σύνολο", "Υποσύνολο", "Σε μεταφορά", "Από μεταφορά"),
    "es": Said("Total", "Subtotal", "Suma y sigue", "Suma anterior"),
    "fi": Said("Yhteensä", "Välisumma", "Siirto", "Siirto"),
    "fr": Said("Total", "Sous-total", "À reporter", "Report"),
    "hr": Said("Ukupno", "Međuzbroj", "Prijenos", "Donos"),
    "hu": Said("Összesen", "Részösszeg", "Átvitel", "Áthozat"),
    "it": Said("Totale", "Subtotale", "A riportare", "Riporto"),
    "nb": Said("Sum", "Delsum", "Overført", "Overført"),
    "nl": Said("Totaal", "Subtotaal", "Transport", "Transport"),
    "pl": Said("Razem", "Suma częściowa", "Do przeniesienia", "Z przeniesienia"),
    "pt": Said("Total", "Subtotal", "A transportar", "Transporte"),
    "ro": Said("Total", "Subtotal", "De reportat", "Report"),
    "sk": Said("Spolu", "Medzisúčet", "Prenos", "Prenos"),
    "sl": Said("Skupaj", "Vmesna vsota", "Prenos", "Prenos"),
    "sv": Said("Summa", "Delsumma", "Transport", "Transport"),
    "uk": Said("Разом", "Проміжний підсумок", "Перенесено", "Перенесено"),
}


def said(language: str) -> Said:
    """The words of a language such as `de` or `pt_BR`."""
    return _SAID.get({"no": "nb", "nn": "nb"}.get(language[:2], language[:2]), _ENGLISH)
