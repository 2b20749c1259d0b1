/** Changing a document's design: pure functions over the JSON that is stored, without React. */
import { copyOf, fieldsOf, isJsonObject, type Json, type JsonObject, type JsonSchema, typeOf, typesOf, words, writePath } from "../../graph";

/** What the settings show: a block by its place, or a part of the document. */
export type Chosen = number | "page" | "edges" | "data" | "text";

export interface State {
  design: JsonObject;
  chosen: Chosen;
}

export function blocksOf(design: JsonObject): JsonObject[] {
  const { blocks } = design;
  return Array.isArray(blocks) ? blocks.filter(isJsonObject) : [];
}

export function kindOf(block: JsonObject | undefined): string {
  return typeof block?.["kind"] === "string" ? block["kind"] : "";
}

const NO_SAMPLE: JsonObject = {};

export function sampleOf(design: JsonObject): JsonObject {
  return isJsonObject(design["sample"]) ? design["sample"] : NO_SAMPLE;
}

/** The rows of the table that is chosen; null where none is. */
export function rowsOf({ design, chosen }: State): Json {
  const block = typeof chosen === "number" ? blocksOf(design)[chosen] : undefined;
  return kindOf(block) === "table" ? (block?.["rows"] ?? "") : null;
}

/** An empty page, with data to see it with. */
export function blankDesign(title: string, language: string, sample: JsonObject): JsonObject {
  return { version: 1, title, page: { language }, header: "", footer: "", pages: true, blocks: [], sample };
}

/** Fills in what the model requires and nobody has typed yet, so that what is there can be drawn meanwhile. */
export function completed(schema: JsonSchema, value: JsonObject): JsonObject {
  const whole: JsonObject = { ...value };
  for (const field of fieldsOf(schema)) {
    const own = whole[field.name];
    const types = typesOf(field.schema);
    if (own === undefined) {
      if (!field.required || field.schema.const !== undefined) continue;
      if (types.includes("string")) whole[field.name] = "";
      if (types.includes("array")) whole[field.name] = [];
    } else if (Array.isArray(own) && field.schema.items?.properties) {
      const { items } = field.schema;
      whole[field.name] = own.map((one) => (isJsonObject(one) ? completed(items, one) : one));
    } else if (isJsonObject(own) && field.schema.properties) whole[field.name] = completed(field.schema, own);
  }
  return whole;
}

/** A block of a kind, with one entry where it is made of entries. A table begins with the first list of the data. */
export function newBlock(kind: string, schema: JsonSchema, sample: JsonObject): JsonObject {
  const block: JsonObject = { kind };
  if (kind === "table") Object.assign(block, tableOf(sample));
  for (const field of fieldsOf(schema)) {
    if (block[field.name] === undefined && field.required && field.schema.items?.properties) block[field.name] = [{}];
  }
  return completed(schema, block);
}

const MOST_FIRST_COLUMNS = 5;

function tableOf(sample: JsonObject): JsonObject {
  const found = firstList(sample, []);
  if (!found) return {};
  const columns = Object.entries(found.row)
    .filter(([, value]) => !Array.isArray(value) && !isJsonObject(value))
    .slice(0, MOST_FIRST_COLUMNS)
    .map(([name, value]) => ({ title: words(name), value: `{{ ${writePath("item", null, [name])} }}`, format: formatOf(value) }));
  return { rows: `{{ ${writePath("data", null, found.path)} }}`, ...(columns.length > 0 ? { columns } : {}) };
}

function firstList(value: JsonObject, path: string[]): { path: string[]; row: JsonObject } | null {
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(inner) && isJsonObject(inner[0])) return { path: [...path, name], row: inner[0] };
  }
  for (const [name, inner] of Object.entries(value)) {
    const found = isJsonObject(inner) ? firstList(inner, [...path, name]) : null;
    if (found) return found;
  }
  return null;
}

function formatOf(value: Json): string {
  const type = typeof value === "string" && typeOf(value) === "number" ? "text" : typeOf(value);
  return type === "number" || type === "date" ? type : "text";
}

function withBlocks(design: JsonObject, blocks: JsonObject[]): JsonObject {
  return { ...design, blocks };
}

/** Puts a block behind the chosen one, else at the end, and chooses it. */
export function addBlock({ design, chosen }: State, block: JsonObject): State {
  const blocks = blocksOf(design);
  const at = typeof chosen === "number" ? Math.min(chosen + 1, blocks.length) : blocks.length;
  return { design: withBlocks(design, blocks.toSpliced(at, 0, block)), chosen: at };
}

/** Takes a block to another place; what was chosen stays chosen. The same state where it has no place to go. */
export function moveBlock(state: State, from: number, to: number): State {
  const blocks = blocksOf(state.design);
  const block = blocks[from];
  if (!block || to < 0 || to >= blocks.length || from === to) return state;
  const moved = blocks.toSpliced(from, 1).toSpliced(to, 0, block);
  const chosen = typeof state.chosen === "number" ? moved.indexOf(blocks[state.chosen] as JsonObject) : state.chosen;
  return { design: withBlocks(state.design, moved), chosen };
}

export function duplicateBlock(state: State, at: number): State {
  const block = blocksOf(state.design)[at];
  return block ? addBlock({ ...state, chosen: at }, copyOf(block)) : state;
}

/** Takes a block away; the one that follows is chosen, else the one before, else the page. */
export function removeBlock(state: State, at: number): State {
  const blocks = blocksOf(state.design);
  if (!blocks[at]) return state;
  const left = blocks.toSpliced(at, 1);
  return { design: withBlocks(state.design, left), chosen: left.length === 0 ? "page" : Math.min(at, left.length - 1) };
}

/** Sets a field of an object, or takes it out, after which its default counts again. */
export function withField(object: JsonObject, name: string, value: Json | undefined): JsonObject {
  const next = { ...object };
  if (value === undefined) delete next[name];
  else next[name] = value;
  return next;
}

export function changeBlock(state: State, at: number, schema: JsonSchema, name: string, value: Json | undefined): State {
  const blocks = blocksOf(state.design);
  const block = blocks[at];
  if (!block) return state;
  return { ...state, design: withBlocks(state.design, blocks.with(at, completed(schema, withField(block, name, value)))) };
}

/** Another design in this one's place; its own data stay where the other has none. */
export function startAgain(state: State, design: JsonObject): State {
  const sample = Object.keys(sampleOf(design)).length > 0 ? sampleOf(design) : sampleOf(state.design);
  return { design: { ...design, sample }, chosen: blocksOf(design).length > 0 ? 0 : "page" };
}

/** A few words that tell one block from another: its text, or what it is made of. */
export function gist(block: JsonObject): string {
  const entries = ["parties", "pairs", "columns"].flatMap((name) => (Array.isArray(block[name]) ? block[name].filter(isJsonObject) : []));
  const texts = entries.length > 0 ? entries.map((one) => one["label"] || one["title"] || one["text"]) : [block["text"]];
  const text = texts
    .filter((one): one is string => typeof one === "string" && one.trim() !== "")
    .map((one) => one.replace(/\{\{\s*(?:\w+\.)*(\w+)[^}]*\}\}/g, (_whole, name: string) => words(name)).split("\n")[0])
    .join(", ");
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** What was, what is, and what was taken back. `group`: changes of the same one are taken back together. */
export interface History {
  past: readonly State[];
  now: State;
  future: readonly State[];
  group: string | null;
}

const LONGEST = 100;

export function begin(design: JsonObject): History {
  return { past: [], now: { design, chosen: blocksOf(design).length > 0 ? 0 : "page" }, future: [], group: null };
}

export function record(history: History, now: State, group: string | null = null): History {
  if (now.design === history.now.design) return choose(history, now.chosen);
  if (group !== null && group === history.group) return { ...history, now, future: [] };
  return { past: [...history.past, history.now].slice(-LONGEST), now, future: [], group };
}

export function choose(history: History, chosen: Chosen): History {
  return chosen === history.now.chosen ? history : { ...history, now: { ...history.now, chosen }, group: null };
}

export function undo(history: History): History {
  const now = history.past.at(-1);
  return now ? { past: history.past.slice(0, -1), now, future: [history.now, ...history.future], group: null } : history;
}

export function redo(history: History): History {
  const [now, ...future] = history.future;
  return now ? { past: [...history.past, history.now], now, future, group: null } : history;
}

/** Why the design cannot be drawn, as the server says it. `field`: a place such as `columns.0.width`, or empty. */
export interface Problem {
  message: string;
  block: number | null;
  field: string;
}

/** Where the settings are that a problem speaks of. */
export function placeOf(problem: Problem): Chosen | null {
  if (problem.block !== null) return problem.block;
  const top = problem.field.split(".")[0] ?? "";
  if (top === "page" || top === "title") return "page";
  if (top === "header" || top === "footer" || top === "pages") return "edges";
  return top === "sample" ? "data" : null;
}

/** What is said of a field beneath it, where its name need not be repeated. */
export function saidOfField(problem: Problem): string {
  const text = problem.message.startsWith(`${problem.field}: `) ? problem.message.slice(problem.field.length + 2) : problem.message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
