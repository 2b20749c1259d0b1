import { i18n } from ".";
import { stepWords } from "./steps";

/**
 * What the server says in English, in the language of this person. The catalogue `server` has its sentences by their
 * code, and in the order in which they are looked through. A text that is none of them stays as it is: people write
 * texts of their own under codes of their own.
 */
type Words = Readonly<Record<string, string>>;
export type Area = "failures" | "reasons" | "ports" | "connections" | "schedules" | "summaries" | "checks";
/** What stands in a hole, in the person's language; null where such a thing cannot stand there. */
export type Value = (hole: string, text: string) => string | null;

const NAMESPACE = "server";
const HOLE = /\{\{(\w+)\}\}/g;
/** Codes whose end differs: the status of an answer, what is wrong with a document or a result. */
const FAMILIES = ["http", "document", "output"] as const;
const patterns = new Map<string, { fits: RegExp; names: readonly string[] }>();

/** Values stay as they are; the names of fields are those on the screen. */
const asItIs: Value = (hole, text) => (hole === "field" ? stepWords(i18n.language, "fields", text) : text);

export const isSource = (): boolean => i18n.language.startsWith("en");

/** The sentences of a code in a language, by what they say. */
export function sentences(language: string, area: Area, code: string): Words | undefined {
  const catalogue = i18n.getResourceBundle(language, NAMESPACE) as Record<Area, Record<string, Words>> | undefined;
  const all = catalogue?.[area];
  if (!all) return undefined;
  if (Object.hasOwn(all, code)) return all[code];
  const family = FAMILIES.find((one) => code.startsWith(`${one}_`));
  return family && Object.hasOwn(all, family) ? all[family] : undefined;
}

function patternOf(template: string) {
  let found = patterns.get(template);
  if (!found) {
    const names = [...template.matchAll(HOLE)].map((one) => one[1] ?? "");
    const parts = template.split(/\{\{\w+\}\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    found = { fits: new RegExp(`^${parts.join("([^]+?)")}$`), names };
    patterns.set(template, found);
  }
  return found;
}

/** `words` with what stands in the holes of `template`, if `text` is such a sentence; else null. */
export function refill(template: string, words: string, text: string, value: Value = asItIs): string | null {
  const { fits, names } = patternOf(template);
  const match = fits.exec(text);
  if (!match) return null;
  const values = new Map<string, string>();
  for (const [at, name] of names.entries()) {
    const told = value(name, match[at + 1] ?? "");
    if (told === null) return null;
    values.set(name, told);
  }
  return words.replace(HOLE, (_whole, one: string) => values.get(one) ?? "");
}

/** `text`, which the server said under this code, in the person's language; null where it is none of its sentences. */
export function known(area: Area, code: string, text: string, value: Value = asItIs): string | null {
  const own = sentences(i18n.language, area, code);
  const source = sentences("en", area, code);
  if (!own || !source) return null;
  for (const [name, template] of Object.entries(source)) {
    const words = own[name];
    const told = words === undefined ? null : refill(template, words, text, value);
    if (told !== null) return told;
  }
  return null;
}

/** `text`, which the server said under this code, in the person's language; itself where that is not known. */
export function retell(area: Area, code: string, text: string, value: Value = asItIs): string {
  return !text || isSource() ? text : (known(area, code, text, value) ?? text);
}

interface Failure {
  code: string;
  title: string;
  message: string;
}

/** What failed, in a few words. */
export const failureTitle = (error: Failure) => retell("failures", error.code, error.title);
/** The same where nobody has told under which code: the first of all sentences that says exactly this. */
export function failureNamed(title: string): string {
  if (!title || isSource()) return title;
  const all = i18n.getResourceBundle("en", NAMESPACE) as Record<Area, Record<string, Words>> | undefined;
  for (const [code, words] of Object.entries(all?.failures ?? {})) {
    const name = Object.keys(words).find((one) => words[one] === title);
    if (name) return sentences(i18n.language, "failures", code)?.[name] ?? title;
  }
  return title;
}
/** How a question is called: of a failed step by what it failed of. */
export function taskTitle(task: { kind: string; step: string; title: string }): string {
  const before = `${task.step}: `;
  return task.kind === "exception" && task.title.startsWith(before) ? before + failureNamed(task.title.slice(before.length)) : task.title;
}
/** What failed, why and what to do. */
export const failureMessage = (error: Failure) => retell("failures", error.code, error.message);
/** Why nothing else can be given to a failed step. */
export const fixedText = (why: string) => retell("reasons", "edit", why);
/** Why something that knocked did not start a run, or not at once. */
export const reasonText = (reason: string) => retell("reasons", "event", reason);
