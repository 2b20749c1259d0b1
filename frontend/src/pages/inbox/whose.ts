import type { TFunction } from "i18next";

import type { Asked, Task } from "../../api/tasks";
import { takenBy } from "./away";

/** So many names stand in a row; the others are counted. */
const MOST_NAMES = 2;

/** Who is to answer a question, short: who has taken it; one or two people; a pool, of whom any may. */
export function whoseWords(
  task: Pick<Task, "kind" | "asked" | "taken_by" | "taken_for" | "taken_by_me">,
  me: string,
  t: TFunction<readonly ["inbox", "away"]>,
): { pool: boolean; text: string } {
  if (task.taken_by_me && !task.taken_for) return { pool: false, text: t("whose.takenByMe") };
  if (task.taken_by) return { pool: false, text: t("whose.takenBy", { name: takenBy(task, t) }) };
  if (task.asked.length === 0) return { pool: true, text: t("whose.pool", { names: t(task.kind === "exception" ? "whose.retryers" : "whose.everybody") }) };
  const isMe = (one: Asked) => one.key.toLowerCase() === me.toLowerCase();
  const name = (one: Asked) => {
    if (one.kind === "group" && one.name === one.key) return t("removedGroup");
    return isMe(one) ? t("whose.me") : one.name;
  };
  const pool = task.asked.some((one) => one.kind !== "person");
  // Groups before people, so that what makes it a pool is named; of people whoever reads it first.
  const rank = (one: Asked) => (one.kind !== "person" ? 0 : isMe(one) ? 1 : 2);
  const names = [...task.asked].sort((one, other) => rank(one) - rank(other)).map(name);
  const shown = names.slice(0, MOST_NAMES).join(", ");
  const rest = names.length - MOST_NAMES;
  const text = rest > 0 ? t("whose.more", { names: shown, count: rest }) : shown;
  return { pool, text: pool ? t("whose.pool", { names: text }) : text };
}
