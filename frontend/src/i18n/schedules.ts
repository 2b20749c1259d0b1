import { i18n } from ".";
import { isSource, known, sentences, type Value } from "./server";

/** Monday to Sunday. */
const inWords = (language: string): string[] => {
  const format = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
  // The second of January 2023 was a Monday.
  return [2, 3, 4, 5, 6, 7, 8].map((date) => format.format(Date.UTC(2023, 0, date)));
};

/** January to December. */
const months = (language: string): string[] => {
  const format = new Intl.DateTimeFormat(language, { month: "long", timeZone: "UTC" });
  return Array.from({ length: 12 }, (_, at) => format.format(Date.UTC(2023, at, 1)));
};

/** A name in the person's language; null where it is none of these. */
function named(names: (language: string) => string[], text: string): string | null {
  const at = names("en").indexOf(text);
  return at < 0 ? null : (names(i18n.language)[at] ?? null);
}

const weekday = (text: string): string | null => named(inWords, text);
const month = (text: string): string | null => named(months, text);
const time = (text: string): string | null => (/^\d\d:\d\d(:\d\d)?$/.test(text) ? text : null);
const number = (text: string): string | null => (/^\d+$/.test(text) ? text : null);

/** A draft may say a day that there is not. */
function day(text: string): string | null {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(text)) return null;
  return new Intl.DateTimeFormat(i18n.language, { dateStyle: "medium", timeZone: "UTC" }).format(at);
}

const ofRule: Value = (hole, text) => {
  switch (hole) {
    case "weekday":
      return weekday(text);
    case "weekdays": {
      const days = text.split(", ").map(weekday);
      return days.includes(null) ? null : days.join(", ");
    }
    case "at":
      return time(text);
    default:
      return number(text);
  }
};

/** One, or several of a kind, of which each may be a span: “1, 5 through 10, and 20”. */
function several(text: string, one: (text: string) => string | null): string | null {
  const spans = text.split(/, and | and |, /).map((part) => {
    const ends = part.split(" through ").map(one);
    if (ends.includes(null) || ends.length > 2) return null;
    const span = sentences(i18n.language, "schedules", "both")?.["through"] ?? "";
    return ends.length < 2 ? (ends[0] ?? null) : span.replace("{{first}}", ends[0] ?? "").replace("{{next}}", ends[1] ?? "");
  });
  return spans.includes(null) ? null : new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(spans as string[]);
}

const dated = (text: string): string | null => (number(text) === null ? null : `${text}.`);

const ofCron: Value = (hole, text) => {
  switch (hole) {
    case "time":
    case "end":
      return time(text);
    case "times":
      return several(text, time);
    case "numbers":
      return several(text, number);
    case "days":
      return several(text, dated);
    case "weekday":
    case "lastWeekday":
      return weekday(text);
    case "weekdays":
      return several(text, weekday);
    case "month":
    case "lastMonth":
      return month(text);
    case "months":
      return several(text, month);
    default:
      return number(text);
  }
};

const MOST_PARTS = 200;

/** A cron expression in words: when in the hour and the day, on which days, in which months, with a comma between; and
 * commas stand within them, too. */
function cron(text: string): string | null {
  const parts = (text.slice(0, 1).toLowerCase() + text.slice(1)).split(", ");
  if (parts.length > MOST_PARTS) return null;
  /** What is said from each part on; of none behind the last. */
  const said: (string | null)[] = [];
  said[parts.length] = "";
  for (let from = parts.length - 1; from >= 0; from -= 1) {
    said[from] = null;
    for (let until = parts.length; until > from && said[from] === null; until -= 1) {
      const rest = said[until];
      const told = rest === null || rest === undefined ? null : known("schedules", "cron", parts.slice(from, until).join(", "), ofCron);
      if (told !== null) said[from] = rest ? `${told}, ${rest}` : told;
    }
  }
  return said[0] ? upper(said[0]) : null;
}

const AND = " and ";
const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
/** A sentence that goes on from another begins small, unless it begins with a name. */
const goingOn = (text: string): string => (inWords(i18n.language).some((name) => text.startsWith(name)) ? text : text.slice(0, 1).toLowerCase() + text.slice(1));

const rule = (text: string): string | null => known("schedules", "words", text, ofRule) ?? cron(text);

/** One rule, or several. */
function rules(text: string): string | null {
  const one = rule(text);
  if (one !== null) return one;
  for (let at = text.indexOf(AND); at >= 0; at = text.indexOf(AND, at + 1)) {
    const first = rule(text.slice(0, at));
    const next = first === null ? null : rules(upper(text.slice(at + AND.length)));
    const both = sentences(i18n.language, "schedules", "both")?.["and"];
    if (first !== null && next !== null && both) return both.replace("{{first}}", () => first).replace("{{next}}", () => goingOn(next));
  }
  return null;
}

const ofWhole: Value = (hole, text) => (hole === "rules" ? whole(text) : hole === "date" ? day(text) : text);

/** Rules with what is said of all of them: an end, working days, a calendar, a time zone. */
function whole(text: string): string | null {
  return rules(text) ?? known("schedules", "whole", text, ofWhole);
}

const ofNote: Value = (hole, text) => (hole === "date" ? day(text) : text);

/** What becomes of a start where the clocks change. */
export function clockText(note: string): string {
  return isSource() ? note : (known("schedules", "notes", note, ofNote) ?? note);
}

/** A schedule in words; null where it is none, or not known as a whole. */
export const knownSchedule = (text: string): string | null => whole(text);

/** How often a schedule starts, in the person's language. Half of it in another language would read worse: what is not
 * known as a whole stays as it is. */
export function scheduleText(text: string): string {
  return !text || isSource() ? text : (whole(text) ?? text);
}
