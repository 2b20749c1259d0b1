/** Rules as people build them: what can be compared how. Mirrors the operators of the engine. */
import { exactNumber, isJsonObject, type Json, type JsonObject } from "../graph";
import type { ValueType } from "../graph/samples";

export type RuleType = "text" | "number" | "date" | "bool" | "list";
export const RULE_TYPES: readonly RuleType[] = ["text", "number", "date", "bool", "list"];

export const OPERATORS: Record<RuleType, readonly string[]> = {
  text: [
    "eq", "ne", "eq_any_case", "contains", "not_contains", "contains_any_case", "starts_with", "not_starts_with", "ends_with",
    "not_ends_with", "matches", "in", "not_in", "is_empty", "is_not_empty",
  ],
  number: ["eq", "ne", "gt", "gte", "lt", "lte", "between", "in", "not_in", "is_empty", "is_not_empty"],
  date: [
    "eq", "ne", "before", "after", "on_or_before", "on_or_after", "between", "same_day", "in_last_days", "in_next_days", "is_empty",
    "is_not_empty",
  ],
  bool: ["is_true", "is_false", "is_empty", "is_not_empty"],
  list: ["contains", "not_contains", "length_is", "length_at_least", "length_at_most", "is_empty", "is_not_empty"],
};

const ONE_SIDE = new Set(["is_true", "is_false", "is_empty", "is_not_empty"]);

export function sidesOf(op: string): 1 | 2 | 3 {
  if (ONE_SIDE.has(op)) return 1;
  return op === "between" ? 3 : 2;
}

export interface Rule {
  left: Json;
  op: string;
  right?: Json;
  type?: RuleType;
}

export interface RuleGroup {
  match: "all" | "any";
  rules: (Rule | RuleGroup)[];
}

export const MAX_DEPTH = 3;

export function isGroup(entry: Rule | RuleGroup): entry is RuleGroup {
  return "rules" in entry;
}

/** Reads what is stored, whatever it is; an empty or foreign value becomes one empty rule. */
export function readGroup(value: Json | undefined): RuleGroup {
  const object = isJsonObject(value) ? value : {};
  const rules = Array.isArray(object["rules"]) ? object["rules"] : [];
  return {
    match: object["match"] === "any" ? "any" : "all",
    rules: rules.flatMap((entry): (Rule | RuleGroup)[] => {
      if (!isJsonObject(entry)) return [];
      return "rules" in entry ? [readGroup(entry)] : [readRule(entry)];
    }),
  };
}

function readRule(entry: JsonObject): Rule {
  const type = RULE_TYPES.find((name) => name === entry["type"]);
  return {
    left: entry["left"] ?? "",
    op: typeof entry["op"] === "string" ? entry["op"] : "eq",
    ...(entry["right"] === undefined ? {} : { right: entry["right"] }),
    ...(type ? { type } : {}),
  };
}

export const EMPTY_RULE: Rule = { left: "", op: "eq", right: "" };

/** How to compare by what the sample value is; undefined when that is not known. */
export function ruleTypeOf(type: ValueType | null): RuleType | undefined {
  switch (type) {
    case "text":
    case "number":
    case "date":
    case "bool":
    case "list":
      return type;
    default:
      return undefined;
  }
}

/** The operator to keep when the kind changes: the same one if it exists there, else the first. */
export function operatorFor(type: RuleType, op: string): string {
  return OPERATORS[type].includes(op) ? op : (OPERATORS[type][0] ?? "eq");
}

/** The kind of rule an operator works on, preferring the one wanted. */
export function typeFor(op: string, wanted: RuleType | undefined): RuleType {
  if (wanted && OPERATORS[wanted].includes(op)) return wanted;
  return RULE_TYPES.find((type) => OPERATORS[type].includes(op)) ?? "text";
}

/** Numbers are stored as numbers, everything else as the text it is. */
export function rightValue(text: string, type: RuleType | undefined): Json {
  return type === "number" && /^-?(0|[1-9]\d{0,17})(\.\d{1,20})?$/.test(text.trim()) ? exactNumber(text.trim()) : text;
}
