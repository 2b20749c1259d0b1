import { createContext, useContext } from "react";

import type { Json, PathReference } from "../graph";
import { pathLabel, valueAt } from "../graph";
import type { DataSource, DataWords, Translate } from "./dataWords";

/** What formulas read where they do not read what earlier steps gave: in a document's design, the document's own data. */
export interface DataScope {
  /** For a field, by its place such as `columns.0.value`. */
  sources(field: string | null): DataSource[];
}

export const DataScopeContext = createContext<DataScope | null>(null);

export function useDataScope(): DataScope | null {
  return useContext(DataScopeContext);
}

/** A reference in words, by these sources alone. */
export function scopedWords(sources: readonly DataSource[], reference: PathReference, t: Translate): DataWords {
  const isIndex = reference.root === "index";
  const source = sources.find((one) => one.root === (isIndex ? "item" : reference.root));
  const field = pathLabel(reference.path);
  const title = isIndex ? t("flyout.index") : (source?.title ?? reference.root);
  return {
    label: field || title,
    step: title,
    field,
    category: source?.category ?? "start",
    icon: source ? (isIndex ? "hash" : source.icon) : "circle-alert",
    known: source !== undefined,
    value: isIndex ? 0 : valueAt(source?.sample, reference.path),
    example: false,
    node: null,
  };
}

/** What a preview of a formula is worked out with. */
export function scopedContext(sources: readonly DataSource[]): Record<string, Json> {
  const context: Record<string, Json> = {};
  for (const { root, sample } of sources) {
    if (sample !== undefined) context[root] = sample;
    if (root === "item") context["index"] = 0;
  }
  return context;
}
