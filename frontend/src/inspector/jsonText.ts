/** JSON as people write it, with data in it: `{"amount": {{ trigger.body.total }}}` is as good as with quotes around. */
import { formatExact, isJsonObject, type Json, parseExact, parseTemplate } from "../graph";

export type ParsedJson = { ok: true; value: Json } | { ok: false; error: string };

/** Reads JSON; says on which line it stops being JSON. */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: parseExact(text) as Json };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(message)?.[1];
    const line = at === undefined ? null : text.slice(0, Number(at)).split("\n").length;
    const plain = message.replace(/\s*(in JSON)?\s*at position.*$/s, "").replace(/^JSON\.parse: /, "");
    return { ok: false, error: line === null ? plain : `${plain} (line ${line})` };
  }
}

/** Reads JSON in which data may also stand without quotes. */
export function parseJsonWithData(text: string): ParsedJson {
  const plain = parseJson(text);
  if (plain.ok) return plain;
  const quoted = parseJson(quoteData(text));
  return quoted.ok ? quoted : plain;
}

/** The text of a value for editing: formulas stand as they are, without the backslashes that JSON would put into them. */
export function jsonWithData(value: Json): string {
  const formulas: string[] = [];
  const mark = (text: string): string =>
    parseTemplate(text)
      .map((part) => {
        const raw = text.slice(part.from, part.to);
        if (part.kind === "text" || raw.includes("\n") || raw.includes("\\")) return raw;
        formulas.push(raw);
        return `\uE000${formulas.length - 1}\uE001`;
      })
      .join("");
  const marked = formatExact(mapTexts(value, mark), 2);
  return marked.replace(/\uE000(\d+)\uE001/g, (_mark, at: string) => formulas[Number(at)] ?? "");
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return value.includes("{{") ? change(value) : value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)])) : value;
}

/** Puts quotes around every `{{ … }}` that stands outside of a text. */
export function quoteData(text: string): string {
  let result = "";
  let inside = false;
  for (const part of parseTemplate(text)) {
    const raw = text.slice(part.from, part.to);
    if (part.kind === "expression") {
      result += inside ? escapeQuotes(raw) : JSON.stringify(raw);
      continue;
    }
    for (let at = 0; at < raw.length; at += 1) {
      if (raw[at] === "\\" && inside) at += 1;
      else if (raw[at] === '"') inside = !inside;
    }
    result += raw;
  }
  return result;
}

/** Quotes of a formula inside a JSON text, as `{{ default(x, "y") }}` has them, need their backslash. */
function escapeQuotes(raw: string): string {
  return JSON.stringify(raw).slice(1, -1);
}
