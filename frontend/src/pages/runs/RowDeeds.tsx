import { useNavigate } from "@tanstack/react-router";
import { ArrowRight, Ban, RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { BulkKind } from "../../api/runSearch";
import type { Run } from "../../api/types";
import { IconButton } from "../../ui";
import { deedsOf } from "./deeds";
import css from "./runs.module.css";
import type { RunListSearch } from "./search";
import { runTitle } from "./words";

/** What can be done with one run, over the end of its row while the mouse or the focus is in it. */
export function RowDeeds({ run, carried, mayAct, onAsk }: { run: Run; carried: { list?: RunListSearch }; mayAct: boolean; onAsk: (kind: BulkKind, run: Run) => void }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const of = { run: runTitle(run) };
  const deeds = mayAct ? deedsOf(run) : [];
  return (
    <td data-cell="deeds" onClick={(event) => event.stopPropagation()}>
      <span className={css.rowDeeds}>
        <IconButton size="sm" label={t("row.open", of)} icon={<ArrowRight size={15} />} onClick={() => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: carried })} />
        {deeds.includes("retry") && <IconButton size="sm" label={t("row.retry", of)} icon={<RotateCcw size={15} />} onClick={() => onAsk("retry", run)} />}
        {deeds.includes("cancel") && <IconButton size="sm" label={t("row.cancel", of)} icon={<Ban size={15} />} onClick={() => onAsk("cancel", run)} />}
      </span>
    </td>
  );
}
