import { CircleX, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useCanvas } from "./canvasStore";
import css from "./card.module.css";

/** At the corner of a step with problems. */
export function ProblemBadge({ node }: { node: string }) {
  const { t } = useTranslation("canvas");
  const problems = useCanvas((state) => state.problems[node]);
  const detail = useCanvas((state) => state.detail);
  if (!problems || detail === "block") return null;
  return (
    <span className={css.problem} data-severity={problems.severity} title={t("problems", { count: problems.count })}>
      {problems.severity === "error" ? <CircleX size={14} aria-hidden /> : <TriangleAlert size={14} aria-hidden />}
    </span>
  );
}
