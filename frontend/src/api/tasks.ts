/** Questions to people, as the API has them. */
import type { Instant, Json, Run, RunError } from "./types";

/** What one person said. */
export type TaskVote = {
  by: string;
  me: boolean;
  at: Instant;
  outcome: string;
  comment: string;
};

/** A question to people. */
export interface Task {
  id: string;
  /** exception: a step failed. */
  kind: "approval" | "form" | "exception";
  status: "open" | "decided" | "late" | "cancelled";
  title: string;
  run: Run;
  node: string;
  step: string;
  amount: Json;
  currency: string;
  /** Who is asked, by e-mail address; empty: everybody. */
  people: string[];
  /** How many have to approve. */
  needs: number;
  due_at: Instant | null;
  created_at: Instant;
  closed_at: Instant | null;
  outcome: string | null;
  votes: TaskVote[];
  may_decide: boolean;
}

/** comment: whoever chooses it says why. */
export type TaskChoice = { id: string; label: string; comment: boolean };

export interface TaskDetail extends Task {
  text: string;
  facts: { label: string; value: Json }[];
  choices: TaskChoice[];
  /** The questions of a form, as a manual start has them. */
  fields: { [setting: string]: Json }[];
  error: Pick<RunError, keyof RunError> | null;
  answer: Json;
}

/** An answer: one of the choices, why, the answers of a form, the value to go on with after a failure. */
export interface TaskAnswer {
  outcome: string;
  comment: string;
  answers: { [name: string]: Json };
  output: Json;
}
