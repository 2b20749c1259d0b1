import { describe, expect, it } from "vitest";

import { ApiError } from "../../api/client";
import type { Asked } from "../../api/tasks";
import type { Json, Task, TaskDetail } from "../../api/types";
import { Formatter } from "../../ui";
import { endedBy, takenBy, whyNot } from "./away";
import {
  amountText,
  answerOf,
  approvals,
  canBulk,
  dueOf,
  firstDraft,
  isTooLate,
  listed,
  nextOf,
  refusals,
  sumOf,
  wrongs,
  tableOf,
} from "./task";
import { namesOf } from "./names";

const format = new Formatter({ locale: "en-US", timeZone: "UTC", currency: "EUR" }, "en");
it("says who was quicker or has taken it, and for whom", () => {
  const t = ((key: string, values?: Record<string, string>) => [key, ...Object.values(values ?? {})].join(" ")) as unknown as Parameters<typeof whyNot>[2];
  const said = (outcome: string) => outcome.toUpperCase();
  const names = { by: "Ben", in_place_of: "Alice" };
  expect(whyNot({ code: "taken", params: names, message: "Ben for Alice has taken this." }, said, t)).toBe("late.taken away:by Ben Alice ");
  expect(whyNot({ code: "already_decided", params: { by: "Ben", outcome: "approved" }, message: "" }, said, t)).toBe("late.already_decided Ben APPROVED");
  expect(whyNot({ code: "already_said", params: { by: "Ben" }, message: "" }, said, t)).toBe("late.said_for Ben");
  expect(whyNot({ code: "already_said", params: {}, message: "" }, said, t)).toBe("late.already_said  ");
  expect(whyNot({ code: "answer_refused", params: {}, message: "Say why." }, said, t)).toBe("Say why.");
  expect(takenBy({ taken_by: "Ben", taken_for: "Alice" }, t)).toBe("away:by Ben Alice");
  expect(takenBy({ taken_by: null, taken_for: null }, t)).toBe("");
});

it("knows the table that a fact is, and leaves all else what it was", () => {
  const table = { columns: [{ name: "item", number: false }], rows: [["Chair"]], more: 12, more_columns: 0 };
  expect(tableOf(table)).toBe(table);
  for (const other of ["[]", null, [{ item: "Chair" }], { rows: [], more: 1 }, 5]) expect(tableOf(other)).toBeNull();
});

const NOW = Date.parse("2026-11-20T12:00:00Z");

function task(changes: Partial<TaskDetail> = {}): TaskDetail {
  return {
    id: "a",
    kind: "approval",
    status: "open",
    title: "Invoice",
    run: {} as TaskDetail["run"],
    node: "n",
    step: "Step",
    amount: null,
    currency: "",
    named: {},
    warnings: [],
    asked: [],
    needs: 1,
    everyone: false,
    due_at: null,
    ends_at: null,
    reminded_at: null,
    escalated_at: null,
    stranded_at: null,
    asks_me: true,
    unread: false,
    taken_by: null,
    taken_for: null,
    taken_by_me: false,
    form: "w:n:EUR",
    created_at: "2026-11-20T10:00:00Z",
    closed_at: null,
    outcome: null,
    votes: [],
    pending: [],
    snoozed_until: null,
    in_place_of: null,
    over: null,
    anew: null,
    may_decide: true,
    may_take: true,
    may_hand_over: true,
    may_leave: false,
    notes: [],
    text: "",
    facts: [],
    choices: [
      { id: "approved", label: "Approve", comment: false },
      { id: "rejected", label: "Reject", comment: true },
    ],
    fields: [],
    error: null,
    in_doubt: false,
    answer: null,
    ...changes,
  };
}

const form = task({
  kind: "form",
  choices: [{ id: "out", label: "Send", comment: false }],
  fields: [
    { name: "centre", label: "Cost centre", type: "text", required: true },
    { name: "share", label: "Share", type: "number", minimum: 1, maximum: "100" },
    { name: "mail", label: "Mail", type: "email" },
    { name: "urgent", label: "Urgent", type: "yes_no", required: true, default: "yes" },
    { name: "note", label: "Note", type: "text", default: "as usual" },
  ],
});
const sendIt = { id: "out", label: "Send", comment: false };

describe("the list", () => {
  const list: Task[] = [
    task({ id: "new" }),
    task({ id: "later", due_at: "2026-11-22T00:00:00Z" }),
    task({ id: "old" }),
    task({ id: "first", due_at: "2026-11-20T11:00:00Z" }),
    task({ id: "closed", status: "decided", due_at: "2026-11-01T00:00:00Z" }),
  ];

  it("has what was read as the server sorts it, each once: what nobody can decide comes first though nothing is due", () => {
    const [stuck, due] = [task({ id: "stuck", stranded_at: "2026-11-19T00:00:00Z" }), task({ id: "due", due_at: "2026-11-20T11:00:00Z" })];
    expect(listed([{ items: [stuck, due] }, { items: [due, ...list] }]).map((one) => one.id)).toEqual(["stuck", "due", "new", "later", "old", "first", "closed"]);
  });

  it("knows what comes after, and before the end what came before", () => {
    expect(nextOf(list, "new")).toBe("later");
    expect(nextOf(list, "closed")).toBe("first");
    expect(nextOf([task({ id: "only" })], "only")).toBeUndefined();
  });

  it.each([
    ["2026-11-20T14:10:00Z", false, true, "2 hr"],
    ["2026-11-20T12:00:20Z", false, true, "1 min"],
    ["2026-11-23T13:00:00Z", false, false, "3 days"],
    ["2026-11-20T09:00:00Z", true, true, "3 hr"],
  ])("says of %s in one unit when it is due", (at, late, soon, words) => {
    const due = dueOf(at, NOW);
    expect([due.late, due.soon, format.duration(due.ms)]).toEqual([late, soon, words]);
  });
});

describe("amounts", () => {
  it.each([
    ["13412.80", "EUR", "€13,412.80"],
    [812.5, "USD", "$812.50"],
    ["0.0375", "EUR", "0.0375 EUR"],
    ["7", "", "7"],
    ["7.50", "points", "7.50 points"],
    ["about ten", "EUR", "about ten EUR"],
    ["12345678901234567.89", "EUR", "12345678901234567.89 EUR"],
    [null, "EUR", ""],
    ["", "EUR", ""],
  ])("writes %s %s as %s", (amount, currency, text) => {
    expect(amountText(amount, currency, format)).toBe(text);
  });
});

it("calls those who are asked by their names, and leaves me out", () => {
  const asked: Asked[] = [
    { kind: "person", key: "ines@example.com", name: "Ines Kaya", away: null },
    { kind: "group", key: "group:1", name: "Finance", away: null },
  ];
  expect(namesOf(asked)).toBe("Ines Kaya, Finance");
  expect(namesOf(asked, "Ines@example.com")).toBe("Finance");
});

it("adds up what is approved together, to the cent and not at all where it cannot", () => {
  const sum = (...amounts: Json[]) => sumOf(amounts.map((amount) => ({ amount })));
  expect(sum("0.10", "0.20")).toBe("0.30");
  expect(sum("9007199254740993.01", "0.99")).toBe("9007199254740994.00");
  expect(sum("-1.5", "0.25")).toBe("-1.25");
  expect(sum("1.0005", "1")).toBe("2.0005");
  expect(sum("12", null)).toBeNull();
  expect(sum("about ten")).toBeNull();
  expect(sum()).toBeNull();
});

it("offers to decide together only what is alike", () => {
  const one = task({ id: "a" });
  expect(canBulk([one])).toBe(false);
  expect(canBulk([one, task({ id: "b" })])).toBe(true);
  expect(canBulk([one, task({ id: "b", form: "other" })])).toBe(false);
  expect(canBulk([one, task({ id: "b", may_decide: false })])).toBe(false);
});

it("counts who approved", () => {
  const vote = { by: "Ines", me: false, at: "", comment: "", via: "inbox" as const, admin: false, in_place_of: null, for_me: false };
  expect(approvals({ votes: [{ ...vote, outcome: "approved" }, { ...vote, outcome: "rejected" }] })).toBe(1);
});

it("says who decided, and for whom", () => {
  const t = ((key: string, values?: Record<string, string>) => [key, ...Object.values(values ?? {})].join(" ")) as unknown as Parameters<typeof endedBy>[1];
  expect(endedBy({ by: "Ben", me: true, in_place_of: null }, t)).toBe("ended.me");
  expect(endedBy({ by: "Ben", me: true, in_place_of: "Alice" }, t)).toBe("ended.meFor Alice");
  expect(endedBy({ by: "Ben", me: false, in_place_of: "Alice" }, t)).toBe("ended.by away:by Ben Alice");
  expect(endedBy(undefined, t)).toBe("ended.by somebody");
});

describe("an answer", () => {
  it("of a no needs a reason", () => {
    const [yes, no] = task().choices;
    if (!yes || !no) throw new Error("No choices.");
    const draft = firstDraft(task());
    expect(wrongs(task(), yes, draft)).toEqual({});
    expect(wrongs(task(), no, { ...draft, comment: "  " })).toEqual({ comment: { code: "comment" } });
    expect(answerOf(task(), no, { ...draft, comment: " Too dear. " })).toEqual({
      outcome: "rejected",
      comment: "Too dear.",
      answers: {},
      output: null,
    });
  });

  it("of a form begins with what is filled in beforehand", () => {
    expect(firstDraft(form).answers).toEqual({ urgent: true, note: "as usual" });
  });

  it("of a form is checked before it is sent", () => {
    const answers = { share: "0", mail: "ann", urgent: false };
    expect(wrongs(form, sendIt, { comment: "", value: "", answers })).toEqual({
      "answers.centre": { code: "required" },
      "answers.share": { code: "minimum", params: { value: "1" } },
      "answers.mail": { code: "email" },
    });
    const more = { centre: "4711", share: "1,000", mail: "ann@example.com", urgent: false };
    expect(wrongs(form, sendIt, { comment: "", value: "", answers: more })).toEqual({
      "answers.share": { code: "number" },
    });
    const large = { ...more, share: "101" };
    expect(wrongs(form, sendIt, { comment: "", value: "", answers: large })).toEqual({
      "answers.share": { code: "maximum", params: { value: "100" } },
    });
  });

  it("of a form has plain digits", () => {
    const answers = { centre: "4711", share: "12,5", urgent: true };
    expect(answerOf(form, sendIt, { comment: "", value: "", answers }).answers).toEqual({ ...answers, share: "12.5" });
  });

  it("to a failure can be a value, or none", () => {
    const failed = task({ kind: "exception" });
    const value = { id: "value", label: "value", comment: false };
    const draft = firstDraft(failed);
    expect(wrongs(failed, value, { ...draft, value: "{" })).toEqual({ output: { code: "json" } });
    expect(answerOf(failed, value, { ...draft, value: '{"id": 7}' }).output).toEqual({ id: 7 });
    expect(answerOf(failed, value, draft).output).toBeNull();
    expect(answerOf(failed, { ...value, id: "retry" }, { ...draft, value: "7" }).output).toBeNull();
  });
});

it("reads what the server refuses", () => {
  const refused = new ApiError(422, { code: "invalid", fields: { comment: ["Say why."], "answers.centre": ["Which?"] } });
  expect(refusals(refused)).toEqual({ comment: "Say why.", "answers.centre": "Which?" });
  expect(refusals(new Error("away"))).toEqual({});
  expect(isTooLate(refused)).toBe(false);
  expect(isTooLate(new ApiError(409, { code: "already_decided" }))).toBe(true);
});
