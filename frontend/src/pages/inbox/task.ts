/** What can be worked out about a question without showing it. */
import { ApiError } from "../../api/client";
import type { Json, Task, TaskAnswer, TaskChoice, TaskDetail } from "../../api/types";
import type { FactTable } from "../../api/tasks";
import { parseExact } from "../../graph/exact";
import { type InputField, questionsOf, sentInput } from "../../inspector/inputFields";
import { readNumber } from "../../inspector/readNumber";
import type { Formatter } from "../../ui";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Whether an answer is still taken. */
export const isAsking = (task: Task): boolean => task.status === "open" && !task.over;

/** Whether it is a failure that was left to the admins. */
export const isLeft = (task: Pick<Task, "kind" | "asked">): boolean => task.kind === "exception" && task.asked.some((one) => one.key === "role:admin");

/** All that was read so far, as the server sorts it, which alone knows what is due since nobody can decide it. What moved
 * from one page to the next while these were read stands there once. */
export function listed(pages: readonly { items: readonly Task[] }[]): Task[] {
  return [...new Map(pages.flatMap((page) => page.items).map((task) => [task.id, task])).values()];
}

/** What the workflow warns of; none of what was kept before there were any. */
export const warningsOf = (task: Pick<Task, "warnings">): readonly string[] => task.warnings ?? [];

/** The table that a fact is; null of texts, files, and what was kept before there were tables. */
export function tableOf(value: Json): FactTable | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return Object.keys(value).sort().join() === "columns,more,more_columns,rows" ? (value as unknown as FactTable) : null;
}

/** What comes after this one in the list; the one before if it was the last. */
export function nextOf(tasks: readonly Task[], id: string): string | undefined {
  const at = tasks.findIndex((one) => one.id === id);
  return (tasks[at + 1] ?? tasks[at - 1])?.id;
}

export interface Due {
  late: boolean;
  /** Within a day. */
  soon: boolean;
  /** How long until then, or since: in its largest unit only. */
  ms: number;
}

export function dueOf(at: string, now: number): Due {
  const away = Date.parse(at) - now;
  const size = Math.abs(away);
  const unit = size < HOUR ? MINUTE : size < DAY ? HOUR : DAY;
  return { late: away < 0, soon: away < DAY, ms: Math.max(unit, Math.round(size / unit) * unit) };
}

/** What approvals that are alike come to together; null where one of them has no amount that can be counted exactly. */
export function sumOf(tasks: readonly Pick<Task, "amount">[]): string | null {
  let cents = 0n;
  for (const { amount } of tasks) {
    const found = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(String(amount ?? "").trim());
    if (!found) return null;
    const size = BigInt(`${found[2]}${(found[3] ?? "").padEnd(4, "0")}`);
    cents += found[1] ? -size : size;
  }
  if (tasks.length === 0) return null;
  const digits = (cents < 0n ? -cents : cents).toString().padStart(5, "0");
  const tail = digits.slice(-4).replace(/0{1,2}$/, "");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -4)}.${tail}`;
}

/** Whether some of these can be decided together. */
export function canBulk(tasks: readonly Task[]): boolean {
  const forms = tasks.filter((task) => task.form !== null && task.may_decide).map((task) => task.form);
  return new Set(forms).size < forms.length;
}

/** How many have approved so far. */
export function approvals(task: Pick<Task, "votes">): number {
  return task.votes.filter((vote) => vote.outcome === "approved").length;
}

/** An amount as the workspace writes it; what is none stays as it is. */
export function amountText(amount: Json, currency: string, format: Formatter): string {
  if (amount === null || amount === undefined || amount === "") return "";
  const text = String(amount).trim();
  const number = Number(text);
  // JavaScript counts to 15 digits exactly.
  const exact = /^-?\d+(\.\d+)?$/.test(text) && text.replace(/\D/g, "").length <= 15;
  if (!exact) return currency ? `${text} ${currency}` : text;
  const digits = text.split(".")[1]?.length ?? 0;
  // A currency is written with its own places: of an amount with more of them none may be lost.
  if (digits <= 2 && /^[A-Z]{3}$/.test(currency)) return format.amount(number, currency);
  const plain = format.number(number, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return currency ? `${plain} ${currency}` : plain;
}

/** What a person has put in, and not sent yet. */
export interface Draft {
  comment: string;
  answers: { [name: string]: Json };
  /** The value to go on with, as JSON text. */
  value: string;
}

export function firstDraft(task: TaskDetail): Draft {
  const answers: Draft["answers"] = {};
  for (const field of questionsOf(task.fields)) {
    const { default: preset } = field;
    if (field.type === "yes_no") answers[field.name] = preset === true || preset === "true" || preset === "yes";
    else if (preset !== undefined) answers[field.name] = preset;
  }
  return { comment: "", answers, value: "" };
}

/** What is wrong with one thing that was put in: a text of the catalogue with its values. */
export interface Wrong {
  code: "comment" | "required" | "number" | "minimum" | "maximum" | "email" | "date" | "json";
  params?: { [name: string]: string };
}

/** By field: `comment`, `answers.<name>`, `output`. */
export type Wrongs = { [field: string]: Wrong };

function wrongAnswer(field: InputField, row: { [setting: string]: Json } | undefined, given: Json | undefined): Wrong | null {
  const text = given === undefined || given === null ? "" : String(given).trim();
  if (text === "") return field.required ? { code: "required" } : null;
  if (field.type === "email" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return { code: "email" };
  if (field.type === "date" && !/^\d{4}-\d{2}-\d{2}$/.test(text)) return { code: "date" };
  if (field.type !== "number" && field.type !== "money") return null;
  const read = readNumber(text);
  if (read.kind !== "number") return { code: "number" };
  const number = Number(String(read.value));
  const limit = (name: string) => (row?.[name] === null || row?.[name] === undefined ? null : Number(String(row[name])));
  const [minimum, maximum] = [limit("minimum"), limit("maximum")];
  if (minimum !== null && number < minimum) return { code: "minimum", params: { value: String(row?.["minimum"]) } };
  if (maximum !== null && number > maximum) return { code: "maximum", params: { value: String(row?.["maximum"]) } };
  return null;
}

/** What a JSON text says; nothing at all says null, and undefined stands for what is no JSON. */
function readValue(text: string): Json | undefined {
  try {
    return text.trim() === "" ? null : (parseExact(text) as Json);
  } catch {
    return undefined;
  }
}

/** What keeps this choice from being sent. */
export function wrongs(task: TaskDetail, choice: TaskChoice, draft: Draft): Wrongs {
  const found: Wrongs = {};
  if (task.kind === "form") {
    for (const field of questionsOf(task.fields)) {
      const row = task.fields.find((one) => one["name"] === field.name);
      const wrong = wrongAnswer(field, row, draft.answers[field.name]);
      if (wrong) found[`answers.${field.name}`] = wrong;
    }
  }
  if (goesOn(task, choice) && readValue(draft.value) === undefined) found["output"] = { code: "json" };
  if (choice.comment && draft.comment.trim() === "") found["comment"] = { code: "comment" };
  return found;
}

/** Whether this choice gives a value to go on with: in place of what failed, or what a step in doubt gave. */
export function goesOn(task: Pick<Task, "kind">, choice: TaskChoice): boolean {
  return task.kind === "exception" && (choice.id === "value" || choice.id === "happened");
}

/** What is sent. */
export function answerOf(task: TaskDetail, choice: TaskChoice, draft: Draft): TaskAnswer {
  return {
    outcome: choice.id,
    comment: draft.comment.trim(),
    answers: task.kind === "form" ? sentInput(questionsOf(task.fields), draft.answers) : {},
    output: goesOn(task, choice) ? (readValue(draft.value) ?? null) : null,
  };
}

/** What the server finds wrong, by field. */
export function refusals(error: unknown): { [field: string]: string } {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(
    Object.entries(error.fields).flatMap(([name, texts]) => {
      const text = [texts].flat()[0];
      return text ? [[name, text]] : [];
    }),
  );
}

/** Codes of that. */
export const TOO_LATE: readonly string[] = ["already_decided", "too_late", "run_ended", "asked_anew", "already_said", "taken", "being_decided"];

/** Whether it was decided without this answer: somebody was quicker, or nobody needs it any more. */
export function isTooLate(error: unknown): error is ApiError {
  return error instanceof ApiError && TOO_LATE.includes(error.code);
}
