/** Numbers as people write them, in either style; what can be read in two ways is asked about, never guessed. */
import { type ExactNumber, exactNumber } from "../graph";

export type ReadNumber =
  | { kind: "empty" }
  | { kind: "number"; value: number | ExactNumber }
  /** No number, or none that is whole. */
  | { kind: "bad" | "whole" }
  /** `1.234`: with separators for thousands it is `large`, as a decimal `small`; both are spelled so that they are clear. */
  | { kind: "ambiguous"; text: string; large: string; small: string };

const GROUPED = /^\d{1,3}([.,'’ \u00a0\u202f]\d{3})+$/;

export function readNumber(raw: string, whole = false): ReadNumber {
  const text = raw.trim();
  if (text === "") return { kind: "empty" };
  const negative = /^[-−]/.test(text);
  const body = negative ? text.slice(1).trimStart() : text;
  const split = splitNumber(body);
  if (split === null) return { kind: "bad" };
  const sign = negative ? "-" : "";
  if (split === "ambiguous") {
    const at = body.search(/[.,]/);
    const fraction = body.slice(at + 1);
    const small = Number(fraction) === 0 ? body.slice(0, at) : `${body}0`;
    return { kind: "ambiguous", text, large: `${sign}${body.replace(/[.,]/, "")}`, small: `${sign}${small}` };
  }
  const [integer, fraction] = split;
  if (integer.length > 18 || fraction.length > 20) return { kind: "bad" };
  if (whole && Number(fraction) !== 0) return { kind: "whole" };
  const digits = integer.replace(/^0+(?=\d)/, "");
  return { kind: "number", value: exactNumber(`${sign}${digits}${fraction && !whole ? `.${fraction}` : ""}`) };
}

/** The digits before and after the decimal sign. */
function splitNumber(body: string): [string, string] | "ambiguous" | null {
  if (/^\d+$/.test(body)) return [body, ""];
  const signs = [...body.matchAll(/[.,]/g)];
  const last = signs.at(-1);
  if (signs.length === 1 && last && /^\d*[.,]\d+$/.test(body)) {
    const before = body.slice(0, last.index);
    const after = body.slice(last.index + 1);
    // "0,125" can only be a decimal, "1234.567" as well; "1.234" can be both.
    if (after.length === 3 && /^[1-9]\d{0,2}$/.test(before)) return "ambiguous";
    return [before || "0", after];
  }
  if (GROUPED.test(body) && sameSigns(body)) return [plain(body), ""];
  if (!last || signs.filter((sign) => sign[0] === last[0]).length !== 1) return null;
  const before = body.slice(0, last.index);
  const after = body.slice(last.index + 1);
  if (!/^\d+$/.test(after) || !GROUPED.test(before) || !sameSigns(before)) return null;
  return [plain(before), after];
}

function sameSigns(body: string): boolean {
  return new Set(body.match(/[^\d]/g)).size <= 1;
}

function plain(body: string): string {
  return body.replace(/\D/g, "");
}
