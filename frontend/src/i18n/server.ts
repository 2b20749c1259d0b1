import { i18n } from ".";

/**
 * What the server says in English, in the language of this person. The catalogue `server` has its sentences by their
 * code, and in the order in which they are looked through. A text that is none of them stays as it is: people write
 * texts of their own under codes of their own.
 */
type Words = Readonly<Record<string, string>>;
type Area = "failures" | "reasons" | "ports" | "connections" | "schedules";

const NAMESPACE = "server";
const HOLE = /\{\{(\w+)\}\}/g;
/** Codes whose end differs: the status of an answer, what is wrong with a document or a result. */
const FAMILIES = ["http", "document", "output"] as const;
const patterns = new Map<string, { fits: RegExp; names: readonly string[] }>();

function wordsOf(language: string, area: Area, code: string): Words | undefined {
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

/** `text`, which the server said under this code, in the person's language; itself where that is not known. */
export function retell(area: Area, code: string, text: string): string {
  if (!text || i18n.language.startsWith("en")) return text;
  const own = wordsOf(i18n.language, area, code);
  const source = wordsOf("en", area, code);
  if (!own || !source) return text;
  for (const [name, template] of Object.entries(source)) {
    const words = own[name];
    const { fits, names } = patternOf(template);
    const match = words === undefined ? null : fits.exec(text);
    if (match && words !== undefined) {
      const values = new Map(names.map((one, at) => [one, match[at + 1] ?? ""]));
      return words.replace(HOLE, (_whole, one: string) => values.get(one) ?? "");
    }
  }
  return text;
}

interface Failure {
  code: string;
  title: string;
  message: string;
}

/** What failed, in a few words. */
export const failureTitle = (error: Failure) => retell("failures", error.code, error.title);
/** What failed, why and what to do. */
export const failureMessage = (error: Failure) => retell("failures", error.code, error.message);
/** Why something that knocked did not start a run, or not at once. */
export const reasonText = (reason: string) => retell("reasons", "event", reason);

/** How often a schedule starts. One of several rules, with an end or for working days stays as it is: half of it in another
 * language would read worse. */
export const scheduleText = (words: string) => (/[,(“]| and | until /.test(words) ? words : retell("schedules", "words", words));
