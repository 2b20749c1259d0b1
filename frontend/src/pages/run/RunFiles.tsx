import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";

import { runArchiveUrl, useRunFiles } from "../../api/files";
import { useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { runIsFinished, useFormatter } from "../../ui";
import css from "./run.module.css";

/** While the run goes on, it is asked so often how many there are. */
const EVERY = 10_000;

/** The files that the run and all that it began have made, as one ZIP. Nothing where there are none. */
export function RunFiles({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const total = useRunFiles(run.id, run.status, runIsFinished(run) ? false : EVERY).data;
  if (!total || total.count === 0) return null;
  const words = t("facts.files", { count: total.count, number: format.number(total.count), size: format.bytes(total.size) });
  if (total.count > total.most) return <span title={t("facts.filesTooMany", { most: format.number(total.most) })}>{words}</span>;
  return (
    <a className={css.files} href={runArchiveUrl(workspace, run.id)} download={`run-${run.id}.zip`} title={t("facts.filesHint")}>
      <Download size={14} aria-hidden />
      {words}
    </a>
  );
}
