/** What was found out, or said, of a try of which nobody knew whether it happened. */
import { isJsonObject, type Json } from "../../graph";

/** In words: the keys of `attempt.doubt`. */
export type Said = "happened" | "did_not_happen" | "could_not_tell" | "it_happened" | "send_again" | "same_key" | "was_undone" | "still_done";

export interface Doubt {
  said: Said;
  /** Each look-up, the oldest first. */
  looked: Json[];
}

const FOUND: readonly string[] = ["happened", "did_not_happen", "could_not_tell"];

/** What stands beside a try about its doubt; null where there never was one. */
export function doubtOf(attempt: { status: string; request: Json }): Doubt | null {
  const noted = isJsonObject(attempt.request) ? attempt.request["in_doubt"] : undefined;
  if (!isJsonObject(noted)) return null;
  const looked = Array.isArray(noted["looked"]) ? noted["looked"] : [];
  const found = noted["found"];
  if (noted["policy"] === "look_up" && typeof found === "string" && FOUND.includes(found)) return { said: found as Said, looked };
  if (noted["said"] === "done" || noted["said"] === "not_done") return { said: noted["said"] === "done" ? "was_undone" : "still_done", looked };
  if (noted["policy"] === "ask_human") return { said: attempt.status === "succeeded" ? "it_happened" : "send_again", looked };
  return { said: "same_key", looked };
}

/** What was sent, without what was noted beside it later. */
export function sentOf(request: Json): Json {
  if (!isJsonObject(request) || request["in_doubt"] === undefined) return request;
  const rest = Object.entries(request).filter(([name]) => name !== "in_doubt");
  return rest.length > 0 ? Object.fromEntries(rest) : null;
}

export type SentKey = { sent: "sent"; key: string } | { sent: "not_sent" } | { sent: "same_result" };

/** What is sent with a key unless its settings say otherwise; of those that can be asked whether it happened, it is the
 * web request alone. Settings that were left as they are do not stand in what a step was given. */
const asksForKey = (input: Json): boolean => isJsonObject(input) && "url" in input && input["send_key"] !== false;

/** Whether a key went with this try, by which the other system recognises a repeat. Each try that changes something has
 * one; whether it is sent is for its settings to say, unless the headers that were sent are known. */
export function keyOf(attempt: { effect_key: string | null; effect_class: string | null; request?: Json } | undefined, input: Json): SentKey {
  const sent = isJsonObject(attempt?.request) ? attempt.request["headers"] : undefined;
  const key = attempt?.effect_key;
  if (key && isJsonObject(sent) && Object.values(sent).includes(key)) return { sent: "sent", key };
  if (attempt?.effect_class === "natural") return { sent: "same_result" };
  const keyed = attempt?.effect_class === "keyed";
  const asked = attempt?.effect_class === "queryable" && !isJsonObject(sent) && asksForKey(input);
  return key && (keyed || asked) ? { sent: "sent", key } : { sent: "not_sent" };
}
