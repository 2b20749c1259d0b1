import { i18n } from ".";
import { isSource, known, sentences, type Value } from "./server";

/** Monday to Sunday. */
const inWords = (language: string): string[] => {
  const format = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
  // The second of January 2023 was a Monday.
  return [2, 3, 4, 5, 6, 7, 8].map((date) => format.format(Date.UTC(2023, 0, date)));
};

function weekday(text: string): string | null {
  const at = inWords("en").indexOf(text);
  return at < 0 ? null : (inWords(i18n.language)[at] ?? null);
}

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
      return /^\d\d:\d\d(:\d\d)?$/.test(text) ? text : null;
    default:
      return /^\d+$/.test(text) ? text : null;
  }
};

const AND = " and ";
const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
/** A sentence that goes on from another begins small, unless it begins with a name. */
const goingOn = (text: string): string => (inWords(i18n.language).some((name) => text.startsWith(name)) ? text : text.slice(0, 1).toLowerCase() + text.slice(1));

/** One rule, or several. */
function rules(text: string): string | null {
  const one = known("schedules", "words", text, ofRule);
  if (one !== null) return one;
  for (let at = text.indexOf(AND); at >= 0; at = text.indexOf(AND, at + 1)) {
    const first = known("schedules", "words", text.slice(0, at), ofRule);
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
 * known as a whole, such as a cron expression in words, stays as it is. */
export function scheduleText(text: string): string {
  return !text || isSource() ? text : (whole(text) ?? text);
}
