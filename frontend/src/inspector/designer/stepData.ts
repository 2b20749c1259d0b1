/** What the step's setting for the document's data gives, with what is known of the steps before it. */
import { useQuery } from "@tanstack/react-query";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { findPaths, isJsonObject, type Json, type JsonObject, parseExact, parseTemplate, stampOf, words } from "../../graph";
import { previewContext } from "../dataWords";
import { useEditor, useEnvironment } from "../EditorContext";
import { dataOfStep } from "./scope";

export interface StepData {
  /** Null while it is looked for, and where the step has none. */
  data: JsonObject | null;
  /** The step's setting is empty. */
  unset: boolean;
  loading: boolean;
}

interface Answer {
  ok: boolean;
  value?: Json;
}

export function useStepData(node: string, setting: Json | undefined): StepData {
  const { workspace, samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const unset = setting === undefined || setting === null || setting === "";
  const evaluate = async (template: string): Promise<Json> => {
    const references = parseTemplate(template).flatMap((part) => (part.kind === "expression" ? findPaths(part.source) : []));
    const keys = new Set(references.flatMap(({ key }) => (key === null ? [] : [key])));
    const context = previewContext(document, specs, samples, node, keys, "data");
    const answer = await api.post<Answer>(`${workspacePath(workspace)}/expressions/preview`, { template, context }, { parse: parseExact });
    // What is not known before the first run is shown by its name.
    return answer.ok ? (answer.value ?? null) : words(String(references[0]?.path.at(-1) ?? template.replaceAll(/\{\{|\}\}/g, "").trim()));
  };
  const found = useQuery({
    queryKey: [workspace, "step-data", node, typeof setting === "string" ? setting : isJsonObject(setting) ? stampOf(setting) : null, stampOf(samples)],
    queryFn: () => dataOfStep(setting, evaluate),
    enabled: !unset,
    staleTime: Infinity,
    retry: false,
  });
  return { data: found.data ?? null, unset, loading: found.isLoading };
}
