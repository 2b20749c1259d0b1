/** A retry before it is sent: what becomes of each step by what a person has said so far, and what is left to say. Pure. */
import type { TFunction } from "i18next";

import type { Found } from "../../api/askNow";
import type { Decision, Fate, ItemFate, Json, Known, PlanItems, PlanStep, RetryPlan, RunStep, StepSpec } from "../../api/types";
import { ExactNumber, formatExact } from "../../graph/exact";
import { type FieldSpec, fieldsOf, isEmpty, isShown, valueOf, words } from "../../graph/schema";
import { isJsonObject, type JsonObject } from "../../graph/types";
import { parseJson } from "../../inspector/jsonText";
import { readNumber } from "../../inspector/readNumber";
import { countedAs } from "./items/shown";

/** What stands in the fields of a step whose settings are edited; only of fields that were touched. */
export type Texts = Readonly<Record<string, string | boolean>>;

export interface InDoubt {
  decision: "happened" | "send_again";
  /** What it gave, as JSON; empty is nothing. */
  result: string;
}

export interface Answers {
  edits: Readonly<Record<string, Texts>>;
  decisions: Readonly<Record<string, InDoubt>>;
  /** Steps that may do once more what they did outside. */
  repeats: readonly string[];
  /** What other systems said of steps, asked whether they happened. */
  found: Readonly<Record<string, Found>>;
  /** Steps that are sent again although the other system says that it happened. */
  twice: readonly string[];
}

export const NO_ANSWERS: Answers = { edits: {}, decisions: {}, repeats: [], found: {}, twice: [] };

// --- settings -----------------------------------------------------------------------------------------------------

export type FieldKind = "text" | "long" | "number" | "switch" | "choice" | "json";

export interface EditField {
  name: string;
  label: string;
  kind: FieldKind;
  before: Json;
  choices: readonly { value: string; label: string }[];
  /** Seldom worth a look: left out, empty, or as it is for every such step. */
  aside: boolean;
}

const LONG = 90;

function kindOf(value: Json): FieldKind {
  if (typeof value === "string") return value.length > LONG || value.includes("\n") ? "long" : "text";
  if (typeof value === "boolean") return "switch";
  return typeof value === "number" || value instanceof ExactNumber ? "number" : "json";
}

export type ChoicesOf = (field: FieldSpec) => readonly { value: string; label: string }[];

/** The fields of a step's last settings, in the order and with the names of its type. Connections are not for here. */
export function editFields(input: Json, spec: StepSpec | undefined, choicesOf?: ChoicesOf): EditField[] {
  if (!isJsonObject(input)) return [];
  const known = spec ? fieldsOf(spec.config_schema) : [];
  const named = new Map(known.map((field, order) => [field.name, { field, order }]));
  return Object.entries(input)
    .flatMap(([name, before]) => {
      const found = named.get(name);
      const plain = { name, label: words(name), before, kind: kindOf(before), choices: [], aside: isEmpty(before), order: known.length };
      if (!found) return [plain];
      const { field, order } = found;
      if (field.hints.widget === "connection" || !isShown(field, known, input)) return [];
      const choices = typeof before === "string" ? (choicesOf?.(field) ?? []) : [];
      const usual = !field.required && formatExact(before) === formatExact(valueOf(field, {}) ?? null);
      const aside = isEmpty(before) || usual || field.hints.advanced === true || field.hints.group !== undefined;
      return [{ ...plain, label: field.title, choices, kind: choices.length > 0 ? ("choice" as const) : plain.kind, aside, order }];
    })
    .sort((left, right) => left.order - right.order)
    .map(({ order: _order, ...field }) => field);
}

/** What stands in a field at first. */
export function textOf(value: Json): string | boolean {
  if (typeof value === "string" || typeof value === "boolean") return value;
  return formatExact(value, 2);
}

/** The value of what stands in a field; undefined where it is none. */
function valueIn(text: string | boolean, before: Json): Json | undefined {
  if (typeof before === "string" || typeof before === "boolean") return text;
  if (kindOf(before) === "number") {
    const read = readNumber(String(text));
    return read.kind === "number" ? read.value : undefined;
  }
  const parsed = parseJson(String(text));
  return parsed.ok ? parsed.value : undefined;
}

export interface Edited {
  settings: JsonObject;
  /** Names of the fields that now have another value. */
  changed: string[];
  /** Names of those in which no value can be read. */
  bad: string[];
}

/** The settings with the edits in them. */
export function settingsOf(input: Json, texts: Texts | undefined): Edited {
  const settings = isJsonObject(input) ? { ...input } : {};
  const changed: string[] = [];
  const bad: string[] = [];
  for (const [name, text] of Object.entries(texts ?? {})) {
    const before = settings[name];
    if (before === undefined) continue;
    const after = valueIn(text, before);
    if (after === undefined) bad.push(name);
    else if (formatExact(after) !== formatExact(before)) {
      settings[name] = after;
      changed.push(name);
    }
  }
  return { settings, changed, bad };
}

/** Of a step in doubt somebody first has to say that it is sent again. */
export function isEditable(step: PlanStep, answers: Answers): boolean {
  const sent = step.fate !== "kept" && (step.fate !== "asks" || answers.decisions[step.node]?.decision === "send_again");
  return step.first && sent && isJsonObject(step.input) && Object.keys(step.input).length > 0;
}

// --- fates --------------------------------------------------------------------------------------------------------

/** A fate by what has been said: of a step in doubt it may be known now, and an edited one may happen twice. */
export type FateNow = Fate | "happened" | "sent_again";

/** What may become of the runs that a step has begun, in the order in which it is said. */
export const ITEM_FATES: readonly ItemFate[] = ["again", "repeats", "asks", "open"];

/** How many runs a step of this type has begun, and what becomes of them. Nothing is kept of a single run that goes on. */
export function countsText(items: PlanItems, type: string, t: TFunction<"runs">, number: (count: number) => string): string {
  const context = countedAs(type);
  const fates = context === "call" && items.total > 1 ? "item" : context;
  const said = (["kept", ...ITEM_FATES] as const).filter((fate) => items[fate] > 0 || (fate === "kept" && context !== "call"));
  return [
    t("retry.items.of", { count: items.total, number: number(items.total), context }),
    ...said.map((fate) => t(`retry.items.${fate}`, { count: items[fate], number: number(items[fate]), context: fates })),
    ...(items.next ? [t("retry.items.next", { count: items.next, number: number(items.next), context: fates })] : []),
  ].join(" · ");
}

export function fateOf(step: PlanStep, answers: Answers): FateNow {
  if (step.fate === "asks") {
    const said = answers.decisions[step.node]?.decision;
    return said === "happened" ? "happened" : said === "send_again" ? "sent_again" : "asks";
  }
  const { changed, bad } = settingsOf(step.input, answers.edits[step.node]);
  // Something else under the same key would not be recognised, so it gets another key.
  if (step.fate === "again" && (step.why === "same_key" || step.why === "called") && changed.length + bad.length > 0) return "repeats";
  return step.fate;
}

/** The key of the words that say why; null where the fate says it all. */
export function whyOf(fate: FateNow, why: Known | null): string | null {
  if (fate === "again") return why === null ? null : `again_${why}`;
  if (fate === "repeats") return why === "same_key" || why === "in_doubt" || why === "called" ? `repeats_${why}` : null;
  return null;
}

export interface Counts {
  again: number;
  next: number;
}

/** How many steps run that ran before, and how many that have not. */
export function countSteps(plan: RetryPlan, answers: Answers): Counts {
  const fates = plan.steps.map((step) => fateOf(step, answers));
  return {
    again: fates.filter((fate) => ["again", "repeats", "asks", "sent_again"].includes(fate)).length,
    next: fates.filter((fate) => fate === "next").length,
  };
}

export type PlanLine = { kind: "step"; step: PlanStep } | { kind: "fold"; fate: "kept" | "next"; steps: PlanStep[] };

const FEW = 3;

/** The plan as lines: a long stretch of steps that are kept, or that only come next, is one line. */
export function planLines(steps: readonly PlanStep[]): PlanLine[] {
  const lines: PlanLine[] = [];
  let at = 0;
  while (at < steps.length) {
    const fate = steps[at]?.fate;
    let end = at + 1;
    while (end < steps.length && steps[end]?.fate === fate) end += 1;
    const stretch = steps.slice(at, end);
    if ((fate === "kept" || fate === "next") && stretch.length > FEW) lines.push({ kind: "fold", fate, steps: stretch });
    else lines.push(...stretch.map((step) => ({ kind: "step" as const, step })));
    at = end;
  }
  return lines;
}

// --- what is left to say ------------------------------------------------------------------------------------------

export type Missing = "decision" | "repeat" | "result" | "settings" | "twice";

/** What a person still has to say, by step, in the order of the plan. */
export function missingIn(plan: RetryPlan, answers: Answers): Map<string, Missing> {
  const found = new Map<string, Missing>();
  for (const step of plan.steps) {
    const missing = missingOf(step, answers);
    if (missing) found.set(step.node, missing);
  }
  return found;
}

function missingOf(step: PlanStep, answers: Answers): Missing | null {
  const fate = fateOf(step, answers);
  if (fate === "asks") return "decision";
  if (fate === "happened") return resultOf(answers.decisions[step.node]).ok ? null : "result";
  if (isEditable(step, answers) && settingsOf(step.input, answers.edits[step.node]).bad.length > 0) return "settings";
  if (fate === "repeats" && !answers.repeats.includes(step.node)) return "repeat";
  return wouldBeTwice(step, answers) && !answers.twice.includes(step.node) ? "twice" : null;
}

/** Whether this would be sent although the other system says that it is there already. */
export function wouldBeTwice(step: PlanStep, answers: Answers): boolean {
  const fate = fateOf(step, answers);
  return answers.found[step.node] === "happened" && (fate === "again" || fate === "sent_again");
}

function resultOf(said: InDoubt | undefined): { ok: boolean; value: Json } {
  if (!said?.result.trim()) return { ok: true, value: null };
  const parsed = parseJson(said.result);
  return parsed.ok ? { ok: true, value: parsed.value } : { ok: false, value: null };
}

export interface RetryRequest {
  plan: string;
  start: readonly string[];
  version: number | null;
  edits: Record<string, JsonObject>;
  decisions: Record<string, Decision>;
  repeats: string[];
}

/** What is sent: only what concerns this plan, for it may be another one than the one that was answered first. */
export function requestOf(plan: RetryPlan, answers: Answers, start: readonly string[], version: number | null): RetryRequest {
  const request: RetryRequest = { plan: plan.id, start, version, edits: {}, decisions: {}, repeats: [] };
  for (const step of plan.steps) {
    const fate = fateOf(step, answers);
    const said = answers.decisions[step.node];
    if (step.fate === "asks" && said) {
      const output = said.decision === "happened" ? resultOf(said).value : null;
      request.decisions[step.node] = { decision: said.decision, output };
    }
    const mayRepeat = fate === "repeats" || (step.items?.repeats ?? 0) > 0;
    if (mayRepeat && answers.repeats.includes(step.node)) request.repeats.push(step.node);
    if (isEditable(step, answers)) {
      const { settings, changed } = settingsOf(step.input, answers.edits[step.node]);
      if (changed.length > 0) request.edits[step.node] = settings;
    }
  }
  return request;
}

/** The server's sentences by step: its field names are `steps.<node>`. */
export function sentencesByStep(fields: Readonly<Record<string, string[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => name.startsWith("steps."))
      .map(([name, sentences]) => [name.slice("steps.".length), sentences]),
  );
}

// --- where it is offered ------------------------------------------------------------------------------------------

/** Failed, cancelled or undone: it can be gone on with. */
export function isRetryable(run: { status: string }): boolean {
  return ["dead_lettered", "cancelled", "compensated"].includes(run.status);
}

/** A step that the run came through, so that it can be gone on from once more. */
export function canStartFrom(step: RunStep | undefined, spec: StepSpec | undefined): boolean {
  return step !== undefined && !spec?.trigger && (step.status === "succeeded" || (step.status === "failed" && step.ports.length > 0));
}

/** What was sent, as names and texts: the outermost fields, what is deeper as JSON. */
export function shortFacts(value: Json): { name: string; text: string }[] {
  if (!isJsonObject(value)) return isEmpty(value) ? [] : [{ name: "", text: typeof value === "string" ? value : formatExact(value) }];
  return Object.entries(value)
    .filter(([, item]) => !isEmpty(item) && !(isJsonObject(item) && Object.keys(item).length === 0))
    .map(([name, item]) => ({ name, text: typeof item === "string" ? item : formatExact(item) }));
}

/** The attempts of each go, the newest go and the newest attempt first. */
export function byGo<A extends { generation: number; attempt: number }>(attempts: readonly A[]): { go: number; attempts: A[] }[] {
  const goes = [...new Set(attempts.map((attempt) => attempt.generation))].sort((left, right) => right - left);
  return goes.map((go) => ({
    go,
    attempts: attempts.filter((attempt) => attempt.generation === go).sort((left, right) => right.attempt - left.attempt),
  }));
}
