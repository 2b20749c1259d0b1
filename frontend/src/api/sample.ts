/** The address and the body of a start's `curl` line, so that the browser can make the same call. */
import type { Trigger } from "./types";

/** The JSON body after `-d`, as the shell would hand it on; null if there is none. */
export function bodyOfCurl(line: string): string | null {
  const quoted = / -d '((?:[^']|'"'"')*)'/.exec(line)?.[1];
  if (quoted === undefined) return null;
  const body = quoted.replaceAll(`'"'"'`, "'");
  try {
    JSON.parse(body);
    return body;
  } catch {
    return null;
  }
}

/** Calls the webhook with its sample, on this server whatever its public name is. Throws if it is turned away. */
export async function fire(trigger: Trigger): Promise<void> {
  const body = bodyOfCurl(trigger.curl ?? "");
  if (!trigger.url || body === null) throw new Error("This start has no sample.");
  const answer = await fetch(new URL(trigger.url).pathname, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    credentials: "omit",
  });
  if (answer.status >= 500) throw new Error(`The webhook answered ${answer.status}.`);
}
