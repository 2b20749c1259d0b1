/** What the browser tells of the person's language, money and clock, to fill in the set-up form. */
import { LANGUAGES, type Language } from "../../i18n";
import type { Option } from "../../ui";

export const CURRENCIES = [
  "EUR",
  "USD",
  "GBP",
  "CHF",
  "AUD",
  "BGN",
  "BRL",
  "CAD",
  "CNY",
  "CZK",
  "DKK",
  "HKD",
  "HUF",
  "IDR",
  "ILS",
  "INR",
  "ISK",
  "JPY",
  "KRW",
  "MXN",
  "MYR",
  "NOK",
  "NZD",
  "PHP",
  "PLN",
  "RON",
  "SEK",
  "SGD",
  "THB",
  "TRY",
  "TWD",
  "UAH",
  "ZAR",
] as const;

const CURRENCY_OF_REGION: Record<string, string> = {
  US: "USD",
  GB: "GBP",
  CH: "CHF",
  LI: "CHF",
  AU: "AUD",
  BG: "BGN",
  BR: "BRL",
  CA: "CAD",
  CN: "CNY",
  CZ: "CZK",
  DK: "DKK",
  HK: "HKD",
  HU: "HUF",
  ID: "IDR",
  IL: "ILS",
  IN: "INR",
  IS: "ISK",
  JP: "JPY",
  KR: "KRW",
  MX: "MXN",
  MY: "MYR",
  NO: "NOK",
  NZ: "NZD",
  PH: "PHP",
  PL: "PLN",
  RO: "RON",
  SE: "SEK",
  SG: "SGD",
  TH: "THB",
  TR: "TRY",
  TW: "TWD",
  UA: "UAH",
  ZA: "ZAR",
};

export function guessedCurrency(locale: string): string {
  try {
    const region = new Intl.Locale(locale).maximize().region;
    return (region && CURRENCY_OF_REGION[region]) || "EUR";
  } catch {
    return "EUR";
  }
}

export function guessedLanguage(locale: string): Language {
  return LANGUAGES.find((language) => locale.startsWith(language)) ?? "en";
}

export function guessedTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function timeZones(current: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set([current, "UTC", ...known])].sort((left, right) => left.localeCompare(right));
}

export function timeZoneOptions(current: string): Option[] {
  return timeZones(current).map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
}

export function currencyOptions(language: string, current: string): Option[] {
  const names = new Intl.DisplayNames([language], { type: "currency" });
  const codes = CURRENCIES.includes(current as (typeof CURRENCIES)[number]) ? CURRENCIES : [current, ...CURRENCIES];
  return codes.map((code) => ({ value: code, label: `${code} · ${names.of(code) ?? code}` }));
}

export function languageOptions(): Option[] {
  return LANGUAGES.map((language) => ({
    value: language,
    label: new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language,
  }));
}

/** The locale that numbers and dates are written in: the browser's own where it fits the language. */
export function localeFor(language: string): string {
  return navigator.language.startsWith(language) ? navigator.language : language;
}

/** A number, an amount and a date as they will look, and the time there now. */
export function formatExample(language: string, timeZone: string, currency: string, at: Date): string {
  const locale = localeFor(language);
  const amount = new Intl.NumberFormat(locale, { style: "currency", currency }).format(1234.56);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone }).format(at);
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone }).format(at);
  return `${amount} · ${day} · ${clock}`;
}
