/** An event's body, handed to the test of its workflow within this tab. */
const KEY = "millrace.sample.";

export function keepSample(workflow: string, body: string): void {
  try {
    sessionStorage.setItem(KEY + workflow, body);
  } catch {
    // Storage can be forbidden: the test then begins as always.
  }
}

export function keptSample(workflow: string): string | null {
  try {
    return sessionStorage.getItem(KEY + workflow);
  } catch {
    return null;
  }
}
