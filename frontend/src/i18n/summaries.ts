/** The second line of a card, which the server says in English, in the person's language. */
import { i18n } from ".";
import { knownSchedule, scheduleText } from "./schedules";
import { isSource, known, refill, retell, sentences, type Value } from "./server";

interface Step {
  type: string;
  config: Readonly<Record<string, unknown>>;
}
type Entry = Readonly<Record<string, unknown>>;

const LONGEST = 60;
const isEntry = (one: unknown): one is Entry => typeof one === "object" && one !== null && !Array.isArray(one);
const entriesOf = (list: unknown): Entry[] => (Array.isArray(list) ? list.filter(isEntry) : []);
const textsOf = (list: unknown): string[] => (Array.isArray(list) ? list.map(String) : []);
const isFilled = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** A value of a step, or a path of data. */
const value = (text: string): string => known("summaries", "value", text, (_hole, inner) => inner) ?? text;

/** A formula that compares. One that says more in English is not told in two languages. */
function formula(text: string): string | null {
  const sides: Value = (_hole, side) => (/(^not | is | if | and | or )/.test(side) ? null : value(side));
  return known("summaries", "formula", text, sides) ?? sides("", text);
}

const inHoles: Value = (hole, text) => {
  switch (hole) {
    case "formula":
      return formula(text);
    case "keys":
      return joined(text.split(" and "), "all");
    case "number":
    case "times":
    case "together":
      return /^[\d,]+$/.test(text) ? text : null;
    case "methods":
      return /^[A-Z]+(, [A-Z]+)*$/.test(text) ? text : null;
    default:
      return value(text);
  }
};

function joined(parts: readonly string[], match: "all" | "any", language: string = i18n.language): string {
  const joint = sentences(language, "summaries", "joints")?.[match] ?? "";
  const between = joint.replace("{{left}}", "").replace("{{right}}", "");
  return parts.join(between);
}

/** What conditions ask for. The operators in the settings tell which words stand where in the sentence. */
function conditions(text: string, code: "rules" | "rows", operators: readonly unknown[], match: unknown): string | null {
  const side = match === "any" ? "any" : "all";
  const [source, own] = ["en", i18n.language].map((language) => {
    const words = sentences(language, "summaries", code);
    const parts = operators.map((operator, at) => {
      const template = typeof operator === "string" && words && Object.hasOwn(words, operator) ? words[operator] : undefined;
      return template?.replace(/\{\{(\w+)\}\}/g, (_whole, hole: string) => `{{${hole}${at}}}`);
    });
    return parts.length === 0 || parts.includes(undefined) ? null : joined(parts as string[], side, language);
  });
  return source && own ? refill(source, own, text, (_hole, one) => value(one)) : null;
}

/** What a step does with fields, part by part as the server puts them together. */
function fields(text: string, config: Entry): string | null {
  const words = sentences(i18n.language, "summaries", "fields");
  const source = sentences("en", "summaries", "fields");
  if (!words || !source) return null;
  const say = (of: Readonly<Record<string, string>>, key: string, values: Record<string, string>) =>
    (of[key] ?? "").replace(/\{\{(\w+)\}\}/g, (_whole, hole: string) => values[hole] ?? `{{${hole}}}`);
  const names = entriesOf(config["fields"]).filter((one) => isFilled(one["name"])).map((one) => String(one["name"]));
  const renamed = entriesOf(config["rename"]).filter((one) => isFilled(one["name"])).map((one) => ({ name: String(one["name"]), to: String(one["to"]) }));
  const lists = { removes: textsOf(config["remove"]), keeps: textsOf(config["keep"]) };
  const sentence = (of: Readonly<Record<string, string>>): string => {
    const parts = [];
    if (names.length === 1) parts.push(say(of, "setsTo", { name: names[0] ?? "" }));
    else if (names.length > 1) parts.push(say(of, "sets", { names: names.join(", ") }));
    if (renamed.length > 0) parts.push(say(of, "renames", { names: renamed.map((one) => say(of, "rename", one)).join(", ") }));
    for (const [key, list] of Object.entries(lists)) if (list.length > 0) parts.push(say(of, key, { names: list.join(", ") }));
    const whole = parts.join(", ");
    return whole.slice(0, 1).toUpperCase() + whole.slice(1);
  };
  const full = sentence(source);
  if (!full) return null;
  const told = refill(full, sentence(words), text, (_hole, one) => value(one));
  if (told !== null || !text.endsWith("…") || full.includes("{{")) return told;
  return full.startsWith(text.slice(0, -1)) ? shortened(sentence(words)) : null;
}

const shortened = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).trimEnd()}…`);

/** The second line of this step's card. What is not known as a whole stays as it is. */
export function summaryText(step: Step, text: string | undefined): string | undefined {
  if (!text || isSource()) return text;
  const name = step.type.split("@")[0] ?? "";
  const { config } = step;
  switch (name) {
    case "trigger.schedule":
      return scheduleText(text);
    case "flow.decision":
    case "flow.continue_if": {
      const group = config["conditions"];
      const rules = isEntry(group) ? entriesOf(group["rules"]).filter((rule) => isFilled(rule["left"]) || "rules" in rule) : [];
      return conditions(text, "rules", rules.map((rule) => rule["op"]), isEntry(group) ? group["match"] : null) ?? text;
    }
    case "tables.find":
      return conditions(text, "rows", entriesOf(config["conditions"]).map((one) => one["operator"]), config["match"]) ?? retell("summaries", name, text, inHoles);
    case "data.edit_fields":
      return fields(text, config) ?? retell("summaries", name, text, inHoles);
    default:
      return known("summaries", name, text, inHoles) ?? value(text);
  }
}

const STARTS = ["trigger.webhook", "trigger.manual", "trigger.called"] as const;
const OR = " or ";

/** The server names so many. */
const MOST_STARTS = 3;

/** How a workflow starts, if each of its starts is known as a whole. What people named may hold "or" however often: only
 * the first start is taken off at each of them, so that a long name is not gone through again and again. */
function starts(text: string, most = MOST_STARTS): string | null {
  if (most === 1) return start(text);
  for (let at = text.indexOf(OR); at >= 0; at = text.indexOf(OR, at + 1)) {
    const first = start(text.slice(0, at));
    const next = first === null ? null : starts(text.slice(at + OR.length), most - 1);
    if (first !== null && next !== null) return joined([first, next], "any");
  }
  return start(text);
}

const start = (text: string): string | null =>
  knownSchedule(text) ?? STARTS.map((name) => known("summaries", name, text, inHoles)).find((told) => told !== null) ?? null;

/** What a workflow does in one line, its starts and then the names of its steps, in the person's language. */
export function workflowText(text: string): string {
  if (!text || isSource()) return text;
  const at = text.indexOf(": ");
  const told = starts(at < 0 ? text : text.slice(0, at));
  if (told === null) return text;
  return at < 0 ? told : `${told}: ${known("summaries", "workflow", text.slice(at + 2), (_hole, one) => one) ?? text.slice(at + 2)}`;
}
