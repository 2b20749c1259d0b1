/** Data paths in words: "Order received › Total", with the sample value behind them. */
import { useMemo } from "react";

import { useTranslation } from "react-i18next";

import {
  type Category, containersAround, type DataRow, dataRows, earlierSteps, type GraphDocument, type GraphNode, indexOf, isJsonObject, type Json, knowsLookUp, speaksOfEnds, speaksOfItems, parseTemplate,
  type PathReference, pathLabel, simplePath, type Specs, typeOf, valueAt, words,
} from "../graph";
import { scopedWords, useDataScope } from "./DataScope";
import { useEditor, useEnvironment } from "./EditorContext";
import { formSample, rowSample } from "./formSample";

export interface DataWords {
  /** `Step › Field` */
  label: string;
  step: string;
  field: string;
  category: Category;
  icon: string | undefined;
  /** The step exists and comes before this one. */
  known: boolean;
  value: Json | undefined;
  /** The value is the step type's example, not from a run of this workflow. */
  example: boolean;
  node: string | null;
}

export interface DataSource {
  id: string;
  node: GraphNode | null;
  title: string;
  /** Root and key as formulas write them. */
  root: string;
  key: string | null;
  sample: Json | undefined;
  /** Where the sample comes from. */
  origin: "run" | "example" | "none";
  category: Category;
  icon: string | undefined;
}

export type Translate = (key: string, params?: Record<string, unknown>) => string;

/** The start that `trigger` means for a step: the one it can be reached from, else any. */
export function startOf(document: GraphDocument, specs: Specs, node: string): GraphNode | undefined {
  const earlier = earlierSteps(document, node);
  return earlier.find((step) => specs[step.type]?.trigger) ?? document.nodes.find((step) => specs[step.type]?.trigger);
}

export function sampleOf(node: GraphNode, specs: Specs, samples: Readonly<Record<string, Json>>): { value: Json | undefined; origin: DataSource["origin"] } {
  const real = samples[node.key];
  if (real !== undefined) return { value: real, origin: "run" };
  const form = specs[node.type]?.trigger ? formSample(node) : undefined;
  if (form) return { value: form, origin: "example" };
  const example = specs[node.type]?.output_sample;
  return example === undefined || example === null ? { value: undefined, origin: "none" } : { value: example, origin: "example" };
}

type Samples = Readonly<Record<string, Json>>;

/** The container whose items a formula of this step reads as `item`: the innermost around it; for what a container says of each, itself. */
export function itemsOf(document: GraphDocument, node: string, field: string | null): GraphNode | undefined {
  const step = indexOf(document).byId.get(node);
  return step && field !== null && speaksOfItems(step, field) ? step : containersAround(document, node)[0];
}

/** What one item of a container looks like: the first of its list, as far as samples tell; else one of its results. */
export function itemSample(document: GraphDocument, specs: Specs, samples: Samples, container: GraphNode): { value: Json | undefined; origin: DataSource["origin"] } {
  if (container.config["source"] === "file") {
    const row = rowSample(startOf(document, specs, container.id), container.config["file"]);
    return row ? { value: row, origin: "example" } : { value: undefined, origin: "none" };
  }
  if (container.config["source"] === "review") {
    // What was released are rows of the list that was reviewed.
    const given = container.config["reviewed"];
    const [part] = typeof given === "string" ? parseTemplate(given) : [];
    const from = part?.kind === "expression" ? simplePath(part.source)?.key : null;
    const review = from ? indexOf(document).byKey.get(from) : undefined;
    return review?.type.startsWith("people.review@") ? itemSample(document, specs, samples, review) : { value: undefined, origin: "none" };
  }
  const list = container.config["items"];
  const parts = typeof list === "string" ? parseTemplate(list) : [];
  const path = parts.length === 1 && parts[0]?.kind === "expression" ? simplePath(parts[0].source) : null;
  if (Array.isArray(list)) return { value: list[0], origin: list.length > 0 ? "example" : "none" };
  if (path?.root === "item") {
    const outer = itemsOf(document, container.id, null);
    const found = outer && itemSample(document, specs, samples, outer);
    const value = firstOf(valueAt(found?.value, path.path));
    return { value, origin: value === undefined ? "none" : (found?.origin ?? "none") };
  }
  const source = path?.root === "trigger" ? startOf(document, specs, container.id) : path?.key ? indexOf(document).byKey.get(path.key) : undefined;
  if (source && path) {
    const found = sampleOf(source, specs, samples);
    const value = firstOf(valueAt(found.value, path.path));
    return { value, origin: value === undefined ? "none" : found.origin };
  }
  // The item of a turn is what the turn before gave.
  const result = list === undefined ? samples[container.key] : undefined;
  const value = isJsonObject(result) ? result["result"] : undefined;
  return value === undefined || value === null ? { value: undefined, origin: "none" } : { value, origin: "run" };
}

function firstOf(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value[0] : undefined;
}

/** Earlier steps nearest first, each with its sample; inside a container first its item. */
export function sourcesFor(document: GraphDocument, specs: Specs, samples: Samples, node: string, t: Translate, field: string | null = null): DataSource[] {
  const container = itemsOf(document, node, field);
  const step = indexOf(document).byId.get(node);
  const found = [...(step && field !== null && knowsLookUp(field) ? [lookUpSource(step, specs, samples, t)] : []), ...stepsFor(document, specs, samples, node)];
  // What the steps inside gave for one of the items.
  if (step && field !== null && speaksOfEnds(step, field)) found.unshift(...sourcesOfSteps(document.nodes.filter((one) => one.parent === node), specs, samples));
  if (!container) return found;
  const spec = specs[container.type];
  const { value, origin } = itemSample(document, specs, samples, container);
  const title = t("flyout.item", { name: container.name });
  return [{ id: "item", node: container, title, root: "item", key: null, sample: value, origin, category: spec?.category ?? "loop", icon: spec?.icon }, ...found];
}

/** The pieces of a source, as rows. An item can also be used as a whole, and it has a place in its list. */
export function rowsOf(source: DataSource, t: Translate, limit?: number): DataRow[] {
  const rows = source.sample === undefined ? [] : dataRows(source.root, source.key, source.sample, limit);
  if (source.id !== "item") return rows;
  const own = { trail: [], depth: 0, hasChildren: false };
  const whole: DataRow = { ...own, expression: "item", label: t("flyout.wholeItem"), type: source.sample === undefined ? "empty" : typeOf(source.sample), value: source.sample === undefined ? "" : source.sample };
  return [whole, ...rows, { ...own, expression: "index", label: t("flyout.index"), type: "number", value: 0 }];
}

/** What the other system answers when it is asked whether a step's effect happened: such a thing as the step gives. */
export function lookUpSample(step: GraphNode, specs: Specs, samples: Samples): { value: Json; origin: DataSource["origin"] } {
  const { value, origin } = sampleOf(step, specs, samples);
  const body = isJsonObject(value) ? (value["body"] ?? null) : null;
  return { value: { key: "K7RB4TZQ2M…", status: 200, body }, origin: origin === "none" ? "example" : origin };
}

function lookUpSource(step: GraphNode, specs: Specs, samples: Samples, t: Translate): DataSource {
  const { value, origin } = lookUpSample(step, specs, samples);
  return { id: "look_up", node: step, title: t("flyout.lookUp"), root: "look_up", key: null, sample: value, origin, category: "app", icon: "search" };
}

function stepsFor(document: GraphDocument, specs: Specs, samples: Samples, node: string): DataSource[] {
  return sourcesOfSteps(earlierSteps(document, node), specs, samples);
}

function sourcesOfSteps(steps: readonly GraphNode[], specs: Specs, samples: Samples): DataSource[] {
  return steps.map((step) => {
    const spec = specs[step.type];
    const { value, origin } = sampleOf(step, specs, samples);
    return {
      id: step.id,
      node: step,
      title: step.name,
      root: spec?.trigger ? "trigger" : "steps",
      key: spec?.trigger ? null : step.key,
      sample: value,
      origin,
      category: spec?.category ?? "app",
      icon: spec?.icon,
    };
  });
}

export function useDataWords(node: string, at: string | null | undefined = null): (reference: PathReference) => DataWords {
  const { t: translate } = useTranslation("inspector");
  const t = translate as unknown as Translate;
  const { samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const scope = useDataScope();
  return useMemo(() => {
    if (scope) {
      const sources = scope.sources(at ?? null);
      return (reference) => scopedWords(sources, reference, t);
    }
    const earlier = new Set(earlierSteps(document, node).map((step) => step.id));
    const { byId, byKey } = indexOf(document);
    const start = startOf(document, specs, node);
    const container = itemsOf(document, node, at ?? null);
    return (reference) => {
      const field = pathLabel(reference.path);
      if (container && (reference.root === "item" || reference.root === "index")) {
        const title = t(reference.root === "item" ? "flyout.itemShort" : "flyout.index");
        const sample = reference.root === "item" ? itemSample(document, specs, samples, container) : { value: 0, origin: "example" };
        return {
          label: field ? `${title} › ${field}` : title,
          step: title,
          field,
          category: "loop",
          icon: reference.root === "item" ? specs[container.type]?.icon : "hash",
          known: true,
          value: valueAt(sample.value, reference.path),
          example: sample.origin !== "run",
          node: container.id,
        };
      }
      if (reference.root === "look_up") {
        const own = byId.get(node);
        const sample = own && lookUpSample(own, specs, samples);
        const title = t("flyout.lookUp");
        return {
          label: field ? `${title} › ${field}` : title,
          step: title,
          field,
          category: "app",
          icon: "search",
          known: at != null && knowsLookUp(at),
          value: valueAt(sample?.value, reference.path),
          example: sample?.origin !== "run",
          node,
        };
      }
      const step = reference.root === "trigger" ? start : reference.key === null ? undefined : byKey.get(reference.key);
      if (step) {
        const spec = specs[step.type];
        return {
          label: field ? `${step.name} › ${field}` : step.name,
          step: step.name,
          field,
          category: spec?.category ?? "app",
          icon: spec?.icon,
          known: reference.root === "trigger" || earlier.has(step.id),
          value: valueAt(sampleOf(step, specs, samples).value, reference.path),
          example: sampleOf(step, specs, samples).origin !== "run",
          node: step.id,
        };
      }
      const known = !["steps", "trigger", "item", "index", "data"].includes(reference.root);
      const title = reference.root === "steps" ? words(reference.key ?? "") : words(reference.root);
      return {
        label: field ? `${title} › ${field}` : title,
        step: title,
        field,
        category: reference.root === "item" ? "loop" : "start",
        icon: known ? (reference.root === "item" ? "repeat" : "hash") : "circle-alert",
        known,
        value: undefined,
        example: false,
        node: null,
      };
    };
  }, [document, specs, samples, node, at, scope, t]);
}

/** What formulas may read while they are previewed: samples of the steps they name. */
export function previewContext(
  document: GraphDocument,
  specs: Specs,
  samples: Readonly<Record<string, Json>>,
  node: string,
  keys: ReadonlySet<string>,
  at: string | null = null,
): Record<string, Json> {
  const steps: Record<string, Json> = {};
  for (const key of keys) {
    const step = indexOf(document).byKey.get(key);
    const value = step ? sampleOf(step, specs, samples).value : undefined;
    if (value !== undefined) steps[key] = value;
  }
  const start = startOf(document, specs, node);
  const trigger = start ? sampleOf(start, specs, samples).value : undefined;
  const container = itemsOf(document, node, at);
  const item = container && itemSample(document, specs, samples, container).value;
  const own = at !== null && knowsLookUp(at) ? indexOf(document).byId.get(node) : undefined;
  return {
    steps,
    ...(own ? { look_up: lookUpSample(own, specs, samples).value } : {}),
    ...(container ? { index: 0 } : {}),
    ...(item === undefined ? {} : { item }),
    ...(trigger === undefined ? {} : { trigger }),
    run: { id: "00000000-0000-7000-8000-000000000000", started_at: new Date().toISOString(), mode: "test", version: 0, attempt: 1, ...linksOf(document) },
    vars: {},
  };
}

/** The links of steps that wait for a signal, as `run.links` has them once there is a run. */
export function linksOf(document: GraphDocument): Record<string, Json> {
  const linked = document.nodes.filter((node) => node.type.startsWith("flow.wait_signal@"));
  return linked.length === 0 ? {} : { links: Object.fromEntries(linked.map((node) => [node.key, "https://…/hooks/resume/…"])) };
}

/** A value as one short line of text. */
export function shortValue(value: Json | undefined, t: Translate): string {
  if (value === undefined) return "";
  if (value === null) return t("value.nothing");
  if (typeof value === "boolean") return value ? t("value.yes") : t("value.no");
  if (Array.isArray(value)) return t("value.items", { count: value.length });
  if (isJsonObject(value)) return t("value.fields", { count: Object.keys(value).length });
  const text = String(value).replace(/\s+/g, " ");
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

