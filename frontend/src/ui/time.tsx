/** Times, durations, numbers and amounts as people of this workspace write them. */
import { createContext, useContext, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

export interface Formats {
  locale: string;
  timeZone: string;
  currency: string;
}

export const browserFormats: Formats = {
  locale: typeof navigator === "undefined" ? "en" : navigator.language,
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  currency: "EUR",
};

const FormatsContext = createContext<Formats>(browserFormats);
export const FormatsProvider = FormatsContext.Provider;

const DAY = 86_400_000;
const NUMBER_PARTS = new Set(["minusSign", "integer", "group", "decimal", "fraction"]);

// Making one of the browser's formatters costs a hundred times what using it does; there are some dozen different ones.
const made = new Map<string, unknown>();

function once<T>(name: string, make: () => T): T {
  let found = made.get(name) as T | undefined;
  if (found === undefined) {
    found = make();
    made.set(name, found);
  }
  return found;
}

function numbers(locale: string, options?: Intl.NumberFormatOptions): Intl.NumberFormat {
  return once(`number ${locale} ${JSON.stringify(options)}`, () => new Intl.NumberFormat(locale, options));
}

/** This zone as the browser calls it; undefined where it knows none of that name. */
export function knownZone(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** The locale for everything that has words in it ("ago", "min", "Nov", "PM"): in the language of the texts around it. */
export function localeOfWords(language: string, ...known: readonly string[]): string {
  return known.find((locale) => locale.split("-")[0] === language.split("-")[0]) ?? language;
}

/** Numbers and amounts as the workspace writes them; what has words in it in the language that the person reads. */
export class Formatter {
  private readonly formats: Formats;
  private readonly words: string;

  constructor(formats: Formats, language = formats.locale) {
    this.formats = formats;
    this.words = localeOfWords(language, formats.locale, browserFormats.locale);
  }

  /** Hours of a day of twelve are written without a nought before them, those of 24 with one. */
  private get hour(): "numeric" | "2-digit" {
    return once(`hour ${this.words}`, () => (new Intl.DateTimeFormat(this.words, { hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit"));
  }

  private date(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const zone = this.formats.timeZone;
    return once(`date ${this.words} ${zone} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(this.words, { timeZone: zone, ...options }));
  }

  /** The same, with times as they are in another zone; in this one where the browser does not know that. */
  in(timeZone: string): Formatter {
    return new Formatter({ ...this.formats, timeZone: knownZone(timeZone) ?? this.timeZone }, this.words);
  }

  get timeZone(): string {
    return this.formats.timeZone;
  }

  number(value: number, options?: Intl.NumberFormatOptions): string {
    return numbers(this.formats.locale, options).format(value);
  }

  /** A number of any length, as JSON writes it, with every digit; with zeros where it has fewer `places`. */
  digits(text: string, places = 0): string {
    const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
    if (!found) return text;
    const [, sign = "", integer = "0", fraction = ""] = found;
    const parts = numbers(this.formats.locale, { minimumFractionDigits: 1 }).formatToParts(-1.1);
    const written = (type: string, otherwise: string): string => parts.find((part) => part.type === type)?.value ?? otherwise;
    const behind = fraction.padEnd(places, "0");
    return `${sign && written("minusSign", "-")}${numbers(this.formats.locale).format(BigInt(integer))}${behind && written("decimal", ".") + behind}`;
  }

  amount(value: number, currency = this.formats.currency): string {
    return numbers(this.formats.locale, { style: "currency", currency }).format(value);
  }

  /** 09:41, or 9:41 AM. */
  clock(value: string | number | Date): string {
    return this.date({ hour: this.hour, minute: "2-digit" }).format(new Date(value));
  }

  /** 09:41:07 */
  clockSeconds(value: string | number | Date): string {
    return this.date({ hour: this.hour, minute: "2-digit", second: "2-digit" }).format(new Date(value));
  }

  /** 09:41:07.123 */
  clockMillis(value: string | number | Date): string {
    return this.date({
      hour: this.hour,
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
    }).format(new Date(value));
  }

  /** 20 Nov 2026 */
  day(value: string | number | Date): string {
    return this.date({ day: "numeric", month: "short", year: "numeric" }).format(new Date(value));
  }

  /** 20 Nov 2026, 09:41 */
  dayClock(value: string | number | Date): string {
    return this.date({ day: "numeric", month: "short", year: "numeric", hour: this.hour, minute: "2-digit" }).format(
      new Date(value),
    );
  }

  /** Fri, 20 Nov 2026, 09:41 */
  weekdayClock(value: string | number | Date): string {
    return this.date({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: this.hour, minute: "2-digit" }).format(new Date(value));
  }

  /** Sunday, 29 Nov 2026 */
  weekdayDay(value: string | number | Date): string {
    return this.date({ weekday: "long", day: "numeric", month: "short", year: "numeric" }).format(new Date(value));
  }

  /** 24 December: of every year. */
  dayMonth(value: string | number | Date): string {
    return this.date({ day: "numeric", month: "long" }).format(new Date(value));
  }

  /** Sun */
  weekday(value: string | number | Date): string {
    return this.date({ weekday: "short" }).format(new Date(value));
  }

  /** November 2026 */
  month(value: string | number | Date): string {
    return this.date({ month: "long", year: "numeric" }).format(new Date(value));
  }

  /** 09:41:07 of today; of another day with that, and with its year if it is another. */
  clockOf(value: string | number | Date, now: number): string {
    const then = new Date(value);
    if (this.day(then) === this.day(now)) return this.clockSeconds(then);
    const year = (at: Date) => this.date({ year: "numeric" }).format(at);
    return this.date({
      day: "numeric",
      month: "short",
      ...(year(then) === year(new Date(now)) ? {} : { year: "numeric" }),
      hour: this.hour,
      minute: "2-digit",
      second: "2-digit",
    }).format(then);
  }

  /** What matters of a moment to come: the time if it is today, the day (with its year if it is another) if not. */
  soon(value: string | number | Date, now: number): string {
    const then = new Date(value);
    if (this.day(then) === this.day(now)) return this.clock(then);
    const year = (at: Date) => this.date({ year: "numeric" }).format(at);
    if (year(then) !== year(new Date(now))) return this.day(then);
    return this.date({ day: "numeric", month: "short" }).format(then);
  }

  /** 20 Nov 2026, 09:41:07 CET: the exact instant with its zone. */
  exact(value: string | number | Date): string {
    return this.date({
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: this.hour,
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "short",
    }).format(new Date(value));
  }

  /** "14 min ago" within 24 hours, the day beyond. */
  relative(value: string | number | Date, now: number): string {
    const then = new Date(value).getTime();
    const away = then - now;
    const size = Math.abs(away);
    if (size >= DAY) return this.dayClock(then);
    const words = once(`relative ${this.words}`, () => new Intl.RelativeTimeFormat(this.words, { numeric: "auto", style: "short" }));
    if (size < 45_000) return words.format(0, "second");
    if (size < 3_570_000) return words.format(Math.round(away / 60_000), "minute");
    return words.format(Math.round(away / 3_600_000), "hour");
  }

  private unit(value: number, unit: string, digits = 0, unitDisplay: "short" | "long" = "short"): string {
    const parts = numbers(this.words, { style: "unit", unit, unitDisplay, maximumFractionDigits: digits }).formatToParts(value);
    const number = this.number(value, { maximumFractionDigits: digits });
    const at = parts.findIndex((part) => NUMBER_PARTS.has(part.type));
    return parts.flatMap((part, index) => (index === at ? [number] : NUMBER_PARTS.has(part.type) ? [] : [part.value])).join("");
  }

  /** 812 bytes · 24 kB · 1.4 MB: how large a file is. */
  bytes(size: number): string {
    if (size < 1000) return this.unit(size, "byte", 0, "long");
    // What would be rounded to a thousand of one is one of the next.
    if (size < 999_500) return this.unit(size / 1000, "kilobyte", size < 9_950 ? 1 : 0);
    if (size < 999_500_000) return this.unit(size / 1e6, "megabyte", size < 99_950_000 ? 1 : 0);
    return this.unit(size / 1e9, "gigabyte", 1);
  }

  /** 12 ms · 1.4 s · 14 min 48 s · 3 h 5 min · 2 days 4 h */
  duration(ms: number): string {
    if (ms < 0) return this.duration(0);
    if (ms < 1000) return this.unit(Math.round(ms), "millisecond");
    if (ms < 10_000) return this.unit(ms / 1000, "second", 1);
    const seconds = Math.round(ms / 1000);
    if (seconds < 60) return this.unit(seconds, "second");
    const two = (big: number, bigUnit: string, small: number, smallUnit: string) =>
      small ? `${this.unit(big, bigUnit)} ${this.unit(small, smallUnit)}` : this.unit(big, bigUnit);
    if (seconds < 3600) return two(Math.floor(seconds / 60), "minute", seconds % 60, "second");
    const minutes = Math.round(seconds / 60);
    if (minutes < 1440) return two(Math.floor(minutes / 60), "hour", minutes % 60, "minute");
    const hours = Math.round(minutes / 60);
    return two(Math.floor(hours / 24), "day", hours % 24, "hour");
  }
}

export function useFormatter(): Formatter {
  const formats = useContext(FormatsContext);
  const language = useLanguage();
  return useMemo(() => new Formatter(formats, language), [formats, language]);
}

const tickers = new Map<number, { listeners: Set<() => void>; timer: ReturnType<typeof setInterval> }>();

/** The current time, renewed every `step` ms by one shared clock per step. `null` stops it. */
export function useNow(step: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (step === null) return;
    const listener = () => setNow(Date.now());
    let ticker = tickers.get(step);
    if (!ticker) {
      const listeners = new Set<() => void>();
      ticker = { listeners, timer: setInterval(() => listeners.forEach((tell) => tell()), step) };
      tickers.set(step, ticker);
    }
    ticker.listeners.add(listener);
    listener();
    return () => {
      ticker.listeners.delete(listener);
      if (ticker.listeners.size === 0) {
        clearInterval(ticker.timer);
        tickers.delete(step);
      }
    };
  }, [step]);
  return now;
}

/** An instant: relative within a day, with the exact time and zone on hover. */
export function Time({ at }: { at: string }) {
  const format = useFormatter();
  const now = useNow(15_000);
  return (
    <time dateTime={at} title={format.exact(at)}>
      {format.relative(at, now)}
    </time>
  );
}

/** The clock time of an instant, with seconds, and its day where that is not today; the exact time and zone on hover. */
export function ClockTime({ at }: { at: string }) {
  const format = useFormatter();
  const now = useNow(60_000);
  return (
    <time dateTime={at} title={format.exact(at)}>
      {format.clockOf(at, now)}
    </time>
  );
}

/** How long something took, or has taken so far while `until` is null. */
export function Duration({ from, until }: { from: string; until: string | null }) {
  const format = useFormatter();
  const now = useNow(until === null ? 1000 : null);
  const end = until === null ? now : new Date(until).getTime();
  return <span className="tn">{format.duration(Math.max(0, end - new Date(from).getTime()))}</span>;
}

/** The language texts are shown in. */
export function useLanguage(): string {
  return useTranslation().i18n.language;
}
