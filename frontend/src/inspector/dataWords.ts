/** Data paths in words: "Order received › Total", with the sample value behind them. */
import { useMemo } from "react";

import {
  type Category, earlierSteps, type GraphDocument, type GraphNode, indexOf, isJsonObject, type Json, type PathReference, pathLabel, type Specs,
  valueAt, words,
} from "../graph";
import { useEditor, useEnvironment } from "./EditorContext";

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
  const example = specs[node.type]?.output_sample;
  return example === undefined || example === null ? { value: undefined, origin: "none" } : { value: example, origin: "example" };
}

/** Earlier steps nearest first, each with its sample. */
export function sourcesFor(document: GraphDocument, specs: Specs, samples: Readonly<Record<string, Json>>, node: string): DataSource[] {
  return earlierSteps(document, node).map((step) => {
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

export function useDataWords(node: string): (reference: PathReference) => DataWords {
  const { samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  return useMemo(() => {
    const earlier = new Set(earlierSteps(document, node).map((step) => step.id));
    const { byKey } = indexOf(document);
    const start = startOf(document, specs, node);
    return (reference) => {
      const field = pathLabel(reference.path);
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
      const known = reference.root !== "steps" && reference.root !== "trigger";
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
  }, [document, specs, samples, node]);
}

/** What formulas may read while they are previewed: samples of the steps they name. */
export function previewContext(
  document: GraphDocument,
  specs: Specs,
  samples: Readonly<Record<string, Json>>,
  node: string,
  keys: ReadonlySet<string>,
): Record<string, Json> {
  const steps: Record<string, Json> = {};
  for (const key of keys) {
    const step = indexOf(document).byKey.get(key);
    const value = step ? sampleOf(step, specs, samples).value : undefined;
    if (value !== undefined) steps[key] = value;
  }
  const start = startOf(document, specs, node);
  const trigger = start ? sampleOf(start, specs, samples).value : undefined;
  return {
    steps,
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

