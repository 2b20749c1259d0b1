/** The line under a field: what its text gives with the sample data, by the very engine that runs it. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../api/client";
import { workspacePath } from "../api/queries";
import { findPaths, type Json, parseExact, parseTemplate, simplePath, stampOf } from "../graph";
import { previewContext, shortValue, type Translate, useDataWords } from "./dataWords";
import { scopedContext, useDataScope } from "./DataScope";
import { useEditor, useEnvironment } from "./EditorContext";

export type ValueLine = { state: "none" } | { state: "loading" } | { state: "value"; text: string } | { state: "error"; text: string } | { state: "unknown"; text: string };

interface PreviewAnswer {
  ok: boolean;
  value?: Json;
  text?: string;
  type?: string;
  error?: string | { message?: string };
}

const DEBOUNCE_MS = 150;

function useDebounced<T>(value: T, delay: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return settled;
}

export function useValueLine(node: string, template: unknown, field: string | null = null): ValueLine {
  const { t: translate } = useTranslation("inspector");
  const t = translate as unknown as Translate;
  const { workspace, samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const scope = useDataScope();
  const words = useDataWords(node, field);
  const text = typeof template === "string" && template.includes("{{") ? template : "";
  const plan = useMemo(() => {
    if (!text) return null;
    const parts = parseTemplate(text);
    const only = parts.length === 1 && parts[0]?.kind === "expression" && parts[0].closed ? simplePath(parts[0].source) : null;
    const references = parts.flatMap((part) => (part.kind === "expression" ? findPaths(part.source) : []));
    return { only, references, open: parts.some((part) => part.kind === "expression" && (!part.closed || part.source === "")) };
  }, [text]);
  const settled = useDebounced(text, DEBOUNCE_MS);
  const missing = plan?.references.find((reference) => {
    const data = words(reference);
    return (reference.root === "steps" || scope !== null) && !data.known;
  });
  const ask = plan !== null && !plan.only && !plan.open && !missing && settled === text && text !== "";
  const answer = useQuery({
    // Samples and settings by identity: they can be large, and this runs on every render.
    queryKey: [workspace, "preview", settled, node, field, stampOf(scope ?? samples)],
    queryFn: ({ signal }) => {
      const keys = new Set(plan?.references.flatMap((reference) => (reference.key === null ? [] : [reference.key])) ?? []);
      return api.post<PreviewAnswer>(
        `${workspacePath(workspace)}/expressions/preview`,
        { template: settled, context: scope ? scopedContext(scope.sources(field)) : previewContext(document, specs, samples, node, keys, field) },
        { signal, parse: parseExact },
      );
    },
    enabled: ask,
    staleTime: 60_000,
    retry: false,
    placeholderData: (before) => before,
  });
  if (!plan) return { state: "none" };
  if (plan.open) return { state: "none" };
  if (missing) return { state: "error", text: t("pill.goneShort", { name: words(missing).label }) };
  if (plan.only) {
    const data = words(plan.only);
    if (data.value === undefined && scope) return { state: "error", text: t("pill.notInSample", { name: data.label }) };
    if (data.value === undefined) return data.node === null ? { state: "none" } : { state: "unknown", text: t("value.noSample") };
    return shown(shortValue(data.value, t), data.example, t);
  }
  // What goes wrong with an example need not go wrong with real data.
  const example = plan.references.some((reference) => words(reference).example);
  if (answer.data) {
    if (answer.data.ok) return shown(answer.data.text ?? shortValue(answer.data.value, t), example, t);
    if (example) return { state: "unknown", text: t("value.noSample") };
    const { error } = answer.data;
    return { state: "error", text: typeof error === "string" ? error : (error?.message ?? t("value.failed")) };
  }
  return answer.error ? { state: "none" } : { state: "loading" };
}

function shown(text: string, example: boolean, t: Translate): ValueLine {
  return example ? { state: "unknown", text: t("value.example", { value: text }) } : { state: "value", text };
}
