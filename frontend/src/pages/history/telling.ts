/** What a row tells, put into lines: what differs before and after, and everything else by its name. */

export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

export interface Fact {
  name: string;
  value: unknown;
}

export interface Told {
  differences: Difference[];
  facts: Fact[];
  /** Names of things and their digests. */
  digests: Fact[];
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function differencesOf(before: Json, after: Json, within = ""): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const was = before[name];
    const now = after[name];
    if (same(was, now)) return [];
    const path = within ? `${within}.${name}` : name;
    // Two objects are told by what differs in them; one that came or went as a whole, too.
    if ((isObject(was) || was === undefined) && (isObject(now) || now === undefined) && (isObject(was) || isObject(now))) {
      return differencesOf((was ?? {}) as Json, (now ?? {}) as Json, path);
    }
    return [{ name: path, before: was, after: now }];
  });
}

export function tell(detail: Json): Told {
  const { before, after, said, sha256, changes, edits, ...rest } = detail;
  const facts: Fact[] = [];
  const digests: Fact[] = [];
  const differences = before !== undefined || after !== undefined ? differencesOf((before ?? {}) as Json, (after ?? {}) as Json) : [];
  for (const [name, value] of Object.entries({ ...((said ?? {}) as Json), ...((changes ?? {}) as Json), ...rest })) {
    if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    if (name.startsWith("sha256")) digests.push({ name, value });
    else if (isObject(value) && Object.keys(value).length === 0) continue;
    else facts.push({ name, value });
  }
  for (const [name, value] of Object.entries((sha256 ?? {}) as Json)) digests.push({ name, value });
  for (const [step, value] of Object.entries((edits ?? {}) as Json)) {
    if (isObject(value)) facts.push({ name: "changed", value: [{ step, fields: value.changed }] });
  }
  return { differences, facts, digests };
}

/** A value as one line of text. `words`: what "yes", "no" and "nothing" are called. */
export function lineOf(value: unknown, words: { yes: string; no: string; nothing: string }): string {
  if (value === null || value === undefined || value === "") return words.nothing;
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (Array.isArray(value)) return value.length === 0 ? words.nothing : value.map((one) => lineOf(one, words)).join(", ");
  if (isObject(value)) {
    if ("step" in value && "fields" in value) return `${String(value.step)} (${lineOf(value.fields, words)})`;
    if ("begins" in value) return `${lineOf(value.begins, words)} …`;
    if ("name" in value && "type" in value) return String(value.name);
    return Object.entries(value)
      .map(([name, one]) => `${name}: ${lineOf(one, words)}`)
      .join(", ");
  }
  return String(value);
}

/** The instant at which a day (2026-11-29) begins in a zone; the one `later` days on for the end of a range. */
export function dayBegins(day: string, timeZone: string, later = 0): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (!year) return undefined;
  const wanted = Date.UTC(Number(year), Number(month) - 1, Number(date) + later);
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const shown = (at: number) => {
    const part = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  };
  // Twice: the first guess may lie on the other side of a change of the clocks.
  let at = wanted;
  for (let turn = 0; turn < 2; turn++) at += wanted - shown(at);
  return new Date(at).toISOString();
}

/** In whose place it was done; null: in nobody's. */
export function inPlaceOf(detail: Readonly<Record<string, unknown>>): string | null {
  const name = detail["in_place_of"];
  return typeof name === "string" && name ? name : null;
}
