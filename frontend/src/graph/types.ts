/**
 * The workflow document as it is stored, and what the editor knows about a step type.
 * Everything in `graph/` is plain data and pure functions: no React, no network.
 */

import { ExactNumber } from "./exact";

export type Json = null | boolean | number | string | ExactNumber | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof ExactNumber);
}

export interface Point {
  x: number;
  y: number;
}

export type OnFailure = "stop" | "continue" | "error_port" | "person" | "undo";
export type RetryStrategy = "exponential" | "fixed" | "linear";

export interface RetryPolicy {
  attempts: number;
  strategy: RetryStrategy;
  first_seconds: number;
  factor: number;
  cap_seconds: number;
  jitter: number;
  total_seconds: number;
}

export interface StepSettings {
  disabled?: boolean;
  retry?: Partial<RetryPolicy>;
  timeout_seconds?: number;
  on_failure?: OnFailure;
  fallback?: Json;
  /** Somebody said that nothing has to be undone of this step. */
  undo?: "nothing";
}

export interface GraphNode {
  id: string;
  key: string;
  name: string;
  /** `http.request@1` */
  type: string;
  config: JsonObject;
  position: Point;
  settings: StepSettings;
  notes?: string;
  /** The container in whose body it stands. */
  parent?: string;
}

export interface GraphEdge {
  id: string;
  source: string;
  sourceHandle: string;
  target: string;
  targetHandle: string;
}

export const NOTE_TINTS = ["wait", "run", "ok", "undo", "idle"] as const;

export interface Annotation {
  id: string;
  text: string;
  position: Point;
  size: { width: number; height: number };
  tint: string;
  attached_to?: string;
}

export const FIELD_KINDS = ["text", "number", "amount", "date"] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];
export const MOST_FIELDS = 5;

/** A field that runs are found by. `name` is what people type: `supplier:brink`. */
export interface NamingField {
  name: string;
  label: string;
  kind: FieldKind;
  value: string;
  currency?: string;
}

/** What people call a run, and the fields they find it by. An empty key: the start says it. */
export interface Naming {
  key: string;
  fields: NamingField[];
}

export interface GraphDocument {
  format: "millrace.workflow";
  version: 1;
  nodes: GraphNode[];
  edges: GraphEdge[];
  annotations: Annotation[];
  naming?: Naming;
}

export type Category = "start" | "app" | "logic" | "loop" | "people" | "data";

export interface StepPort {
  id: string;
  label: string;
}

/** Ways out that come from a list in the configuration (the cases of a Switch). */
export interface PortsFrom {
  field: string;
  id: string;
  label: string;
  plus?: StepPort[];
}

/** What the server tells about one step type (one row of `node-types`). */
export interface StepSpec {
  type: string;
  name: string;
  version: number;
  category: Category;
  icon: string;
  title: string;
  description: string;
  synonyms: string[];
  effect?: string | null;
  effect_note?: string | null;
  trigger: boolean;
  /** Other steps stand in it: its body. */
  container?: boolean;
  ports: StepPort[];
  ports_from?: PortsFrom | null;
  has_error_port: boolean;
  config_schema: JsonSchema;
  expression_fields: string[];
  output_sample?: Json;
  connection_kinds: string[];
  examples?: Json[];
  defaults: JsonObject;
  badge?: string | null;
}

export type Specs = Readonly<Record<string, StepSpec>>;

/** Hints on a schema property that say how its form field looks and behaves. */
export interface FieldHints {
  widget?: string;
  expression?: boolean;
  placeholder?: string;
  help?: string;
  group?: string;
  advanced?: boolean;
  order?: number;
  showIf?: { [field: string]: Json[] };
  kinds?: string[];
  [hint: string]: unknown;
}

export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  const?: Json;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  additionalProperties?: boolean | JsonSchema;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  writeOnly?: boolean;
  "x-ui"?: FieldHints;
  [keyword: string]: unknown;
}

export type Severity = "error" | "warning" | "hint";

export interface Problem {
  severity: Severity;
  code: string;
  message: string;
  node: string | null;
  edge: string | null;
  field: string | null;
  params: { [name: string]: Json };
}

/** What a step does outside with the settings it has, as the server worked it out. */
export interface StepEffect {
  /** pure, read, keyed, natural, queryable, unsafe */
  effect: string;
  writes: boolean;
  repeatable: boolean;
}

/** What the server says of a document it was sent. */
export interface Report {
  problems: readonly Problem[];
  summaries: Readonly<Record<string, string>>;
  effects: Readonly<Record<string, StepEffect>>;
}

/** A text to be looked up in a catalogue: a key and what fills it. */
export interface Label {
  key: string;
  params: Record<string, string | number>;
}

export const ERROR_HANDLE = "error";
export const UNDO_HANDLE = "undo";
export const DEFAULT_IN = "in";
export const DEFAULT_OUT = "out";

/** An undo step stands 64 px beyond what it undoes, and a little further to keep to the grid. */
export const CARD = { width: 284, height: 68, rowGap: 60, columnGap: 36, undoGap: 68, grid: 8 } as const;
export const LIMITS = { nodes: 2000, edges: 4000 } as const;

export function emptyDocument(): GraphDocument {
  return { format: "millrace.workflow", version: 1, nodes: [], edges: [], annotations: [] };
}

/** Positions and settings are reckoned with, so they are JavaScript's own numbers. */
function plainNumbers<T>(value: T): T {
  if (value instanceof ExactNumber) return Number(value) as T;
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === "fallback" ? item : plainNumbers(item)])) as T;
}

function normaliseNaming(raw: Partial<Naming>): Naming {
  const fields = (raw.fields ?? []).map((one) => ({
    ...one,
    label: one.label ?? one.name,
    kind: one.kind ?? ("text" as const),
    value: one.value ?? "",
  }));
  return { key: raw.key ?? "", fields };
}

/** Fills in what an older or foreign document may lack, so that nothing later needs to ask. */
export function normaliseDocument(raw: Partial<GraphDocument> | null | undefined): GraphDocument {
  return {
    format: "millrace.workflow",
    version: 1,
    nodes: (raw?.nodes ?? []).map((node) => ({
      ...node,
      config: node.config ?? {},
      settings: plainNumbers(node.settings ?? {}),
      position: plainNumbers(node.position ?? { x: 0, y: 0 }),
    })),
    edges: (raw?.edges ?? []).map((edge) => ({
      ...edge,
      sourceHandle: edge.sourceHandle ?? DEFAULT_OUT,
      targetHandle: edge.targetHandle ?? DEFAULT_IN,
    })),
    annotations: (raw?.annotations ?? []).map((note) => plainNumbers(note)),
    ...(raw?.naming ? { naming: normaliseNaming(raw.naming) } : {}),
  };
}
