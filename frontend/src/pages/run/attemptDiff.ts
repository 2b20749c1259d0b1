/** In what two tries of a step differ: what was sent, what came back, what it failed of. Pure. */
import type { FieldDifference } from "../../api/lookingBack";
import type { Json, RunAttempt } from "../../api/types";
import { ExactNumber, formatExact } from "../../graph/exact";
import { failureTitle } from "../../i18n/server";
import { sentOf } from "./doubt";
import { isMark } from "./marks";

/** More differing values than these are not told one by one. */
export const MOST = 200;
const MOST_DEEP = 32;
/** Headers that are other ones with every call and say nothing of what was sent. A field of the data may be called so, too. */
const OF_THE_CALL = new Set(["content-length", "date", "traceparent", "tracestate", "x-request-id", "x-forwarded-for", "x-real-ip"]);

type Fields = Record<string, Json>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber) && !isMark(value);

/** The values that two documents do not share, at most `MOST`. Of sensitive values nobody here knows whether they differ. */
export function differing(here: Json | undefined, there: Json | undefined): FieldDifference[] {
  const found: FieldDifference[] = [];
  const visit = (one: Json | undefined, other: Json | undefined, path: (string | number)[]): void => {
    if (found.length >= MOST || (isMark(one) && isMark(other))) return;
    if (one === undefined || other === undefined) {
      if (one !== other) found.push({ path, change: other === undefined ? "added" : "removed", here: one ?? null, there: other ?? null });
    } else if (isFields(one) && isFields(other) && path.length < MOST_DEEP) {
      for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
        if (path.at(-1) !== "headers" || !OF_THE_CALL.has(name.toLowerCase())) visit(one[name], other[name], [...path, name]);
      }
    } else if (Array.isArray(one) && Array.isArray(other) && path.length < MOST_DEEP) {
      for (let index = 0; index < Math.max(one.length, other.length); index += 1) visit(one[index], other[index], [...path, index]);
    } else if (formatExact(one) !== formatExact(other)) found.push({ path, change: "changed", here: one, there: other });
  };
  visit(here, there, []);
  return found;
}

export interface AttemptDifference {
  request: FieldDifference[];
  response: FieldDifference[];
  error: FieldDifference[];
  worker: FieldDifference[];
}

const errorOf = ({ error }: RunAttempt): Json => (error ? { what: failureTitle(error) ?? error.title, why: error.message } : {});

/** In what a try differs from another one of the same step. */
export function attemptDifference(here: RunAttempt, there: RunAttempt): AttemptDifference {
  return {
    request: differing(sentOf(here.request) ?? undefined, sentOf(there.request) ?? undefined),
    response: differing(here.response ?? undefined, there.response ?? undefined),
    error: differing(errorOf(here), errorOf(there)),
    worker: here.worker && there.worker ? differing(here.worker, there.worker) : [],
  };
}
