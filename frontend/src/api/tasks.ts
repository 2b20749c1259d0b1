/** Questions to people, as the API has them. */
import type { Instant, Json, Run, RunError } from "./types";

/** What one person said. */
export type TaskVote = {
  by: string;
  me: boolean;
  at: Instant;
  outcome: string;
  comment: string;
  via: "inbox" | "link";
  /** Not asked, but allowed as an admin. */
  admin: boolean;
  /** Who was away, and had them decide. */
  in_place_of: string | null;
  /** That was I: it is my voice that is given. */
  for_me: boolean;
};

/** What somebody has said that has not taken effect: until then it can be taken back. What could not says why. */
export type PendingAnswer = {
  by: string;
  me: boolean;
  outcome: string;
  /** The builder's own name for that. */
  called: string | null;
  at: Instant;
  until: Instant | null;
  /** From the moment at which this was read, by whatever clock. */
  left_ms: number;
  code: string | null;
  /** What the words for `code` need. */
  params: Record<string, string>;
  refused: string | null;
};

/** The same of oneself, with the question it is about. */
export type GivenAnswer = { task: string; title: string; pending: PendingAnswer };

/** Somebody who is asked. */
export type Asked = { kind: "person" | "group" | "role"; key: string; name: string; away: AwayNow | null };

/** That somebody is away right now, until that day of the workspace; and who sees their questions, if anybody does. */
export type AwayNow = { until: string | null; hand: string | null };

/** What happened to a question meanwhile. */
export type TaskNote = { kind: "comment" | "escalate" | "hand_over" | "leave" | "take" | "give_back" | "mail_failed" | "stranded" | "recount" | "release" | "send_back" | "take_back"; at: Instant; by: string; to: string; to_for: string | null; text: string };

/** A question to people. */
export interface Task {
  id: string;
  /** exception: a step failed. */
  kind: "approval" | "form" | "exception" | "review";
  status: "open" | "decided" | "late" | "cancelled";
  title: string;
  run: Run;
  node: string;
  step: string;
  /** The builder's own names for answers, by outcome. */
  named: { [outcome: string]: string };
  amount: Json;
  currency: string;
  /** What the workflow warns of. */
  warnings: string[];
  /** Who is asked; empty: everybody. */
  asked: Asked[];
  /** How many have to approve; with `everyone` each of those who are asked. */
  needs: number;
  everyone: boolean;
  /** When it should be answered. */
  due_at: Instant | null;
  /** When the run goes on without. */
  ends_at: Instant | null;
  reminded_at: Instant | null;
  escalated_at: Instant | null;
  /** Since when too few are left of those who are asked; then admins may decide. */
  stranded_at: Instant | null;
  /** Who sees to it alone. */
  taken_by: string | null;
  /** In whose place, who was away then. */
  taken_for: string | null;
  taken_by_me: boolean;
  /** Alike for approvals that can be decided together. */
  form: string | null;
  created_at: Instant;
  closed_at: Instant | null;
  outcome: string | null;
  /** Why no answer is taken though the status does not say so: its time has passed, or the run asks anew. */
  over: "late" | "anew" | null;
  votes: TaskVote[];
  pending: PendingAnswer[];
  /** Until then it is out of my list. */
  snoozed_until: Instant | null;
  /** Who is away, and in whose place I may decide it. */
  in_place_of: { name: string; until: string | null } | null;
  /** It is among what the number beside the inbox counts. */
  asks_me: boolean;
  /** Of that, what I have not seen since it came to me. */
  unread: boolean;
  may_decide: boolean;
  may_take: boolean;
  may_hand_over: boolean;
  /** To the admins. */
  may_leave: boolean;
}

/** comment: whoever chooses it says why. own: the label is the builder's, and is shown as it is. */
export type TaskChoice = { id: string; label: string; comment: boolean; own?: boolean };

/** A fact that is a list: how many of its rows and columns are not shown, too. */
export type FactTable = { columns: { name: string; number: boolean }[]; rows: string[][]; more: number; more_columns: number };

export interface TaskDetail extends Task {
  text: string;
  facts: { label: string; value: Json }[];
  choices: TaskChoice[];
  /** The questions of a form, as a manual start has them. */
  fields: { [setting: string]: Json }[];
  error: Pick<RunError, keyof RunError> | null;
  /** Nobody knows whether the step happened. */
  in_doubt: boolean;
  answer: Json;
  /** The open question that stands in the place of this one. */
  anew: string | null;
  notes: TaskNote[];
}

/** An answer: one of the choices, why, the answers of a form, the value to go on with after a failure. */
export interface TaskAnswer {
  outcome: string;
  comment: string;
  answers: { [name: string]: Json };
  output: Json;
}

/** A failed step as it can be mended: what it was given, whether the run has stopped at it, and why it cannot be mended. */
export interface Fixable {
  node: string;
  type: string;
  input: Json;
  ended: boolean;
  why: string | null;
  /** As of a step of a plan. */
  asks: string | null;
}
