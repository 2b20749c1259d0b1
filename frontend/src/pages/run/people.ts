/** What the output of a step that asked people says of their decisions. */
import type { Json } from "../../api/types";

export interface Decided {
  by: string;
  /** Who was away, and had them decide. */
  inPlaceOf?: string;
  at: string | null;
  outcome: string;
  /** The builder's own name for that. */
  called?: string;
  comment: string;
}

type Fields = { readonly [name: string]: Json };

function fieldsOf(value: Json | undefined): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Of an approval everybody who said something, of a form who filled it in. */
export function decisionsOf(output: Json | undefined): Decided[] {
  const fields = fieldsOf(output);
  const list = fields?.["decisions"];
  const answered = fieldsOf(fields?.["answered"]);
  const found = Array.isArray(list) ? list.map(fieldsOf) : answered ? [{ outcome: "out", ...answered }] : [];
  return found.flatMap((one) => {
    const by = textOf(one?.["by"]);
    if (!one || !by) return [];
    const inPlaceOf = textOf(one["for"]);
    const called = textOf(one["called"]);
    return [{ by, ...(inPlaceOf ? { inPlaceOf } : {}), ...(called ? { called } : {}), at: textOf(one["at"]) || null, outcome: textOf(one["outcome"]), comment: textOf(one["comment"]) }];
  });
}
