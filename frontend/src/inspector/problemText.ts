import { useCallback } from "react";
import { useTranslation } from "react-i18next";

import type { Problem } from "../graph";
import { problemCatalogues, problemSentence } from "../i18n/problems";
import { useEditor } from "./EditorContext";

/** A problem as a sentence in the person's language: the browser's own by its code, the server's by code and words. */
export function useProblemText(): (problem: Problem, withStep?: boolean) => string {
  const { t, i18n } = useTranslation(["inspector", ...problemCatalogues()]);
  const document = useEditor((state) => state.document);
  return useCallback(
    (problem, withStep = true) => {
      const name = document.nodes.find((node) => node.id === problem.node)?.name;
      const specific = `problem.${problem.code}_${String(problem.params["reason"] ?? "")}`;
      const key = i18n.exists(specific, { ns: "inspector" }) ? specific : `problem.${problem.code}`;
      const sentence = problemSentence(problem) || (i18n.exists(key, { ns: "inspector" }) ? t(key, problem.params) : problem.code);
      return withStep && name && !sentence.includes(name) ? `${name}: ${sentence}` : sentence;
    },
    [document, i18n, t],
  );
}
