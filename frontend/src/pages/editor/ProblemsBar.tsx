import { Popover } from "@mantine/core";
import { ArrowRight, CircleX, Info, TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Problem } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { useProblemText } from "../../inspector/problemText";
import { Button } from "../../ui";
import css from "./editor.module.css";
import { useLayer } from "./layers";
import { ui, useUi } from "./uiStore";

const ORDER = { error: 0, warning: 1, hint: 2 } as const;

/** How many problems there are, the first in words, and the way to it. The count opens the full list. */
export function ProblemsBar() {
  const { t } = useTranslation("editor");
  const problems = useEditor((state) => state.problems);
  const opened = useUi((state) => state.problemList);
  const { goTo } = useEnvironment();
  const text = useProblemText();
  const sorted = useMemo(() => [...problems].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]), [problems]);
  const serious = sorted.filter((problem) => problem.severity !== "hint");
  const first = serious[0];
  useLayer(opened && first !== undefined, () => ui.set({ problemList: false }));
  if (!first) return null;
  return (
    <div className={css.problems} data-severity={first.severity} data-testid="problems-bar">
      {first.severity === "error" ? <CircleX size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
      <Popover opened={opened} onChange={(open) => ui.set({ problemList: open })} position="top-start" shadow="lg" width={420} trapFocus returnFocus>
        <Popover.Target>
          <Button variant="link" className={css.problemCount} aria-expanded={opened} onClick={() => ui.set({ problemList: !opened })}>
            {t("problems.count", { count: serious.length })}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={0}>
          <ProblemList problems={sorted} onGo={() => ui.set({ problemList: false })} />
        </Popover.Dropdown>
      </Popover>
      <span className={css.problemText}>{text(first)}</span>
      {first.node !== null && (
        <Button variant="link" onClick={() => goTo(first.node ?? "", first.field)}>
          {t("problems.go")} <ArrowRight size={14} aria-hidden />
        </Button>
      )}
    </div>
  );
}

export function ProblemList({ problems, onGo }: { problems: readonly Problem[]; onGo(): void }) {
  const text = useProblemText();
  const { goTo } = useEnvironment();
  return (
    <ul className={css.problemList}>
      {problems.map((problem, at) => (
        <li key={`${problem.node}-${problem.field}-${problem.code}-${at}`}>
          <button
            type="button"
            data-severity={problem.severity}
            disabled={problem.node === null}
            onClick={() => {
              onGo();
              if (problem.node !== null) goTo(problem.node, problem.field);
            }}
          >
            {problem.severity === "error" ? <CircleX size={15} aria-hidden /> : problem.severity === "warning" ? <TriangleAlert size={15} aria-hidden /> : <Info size={15} aria-hidden />}
            <span>{text(problem)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
