import { Link } from "@tanstack/react-router";
import { Ban, Copy, GitCompareArrows, RotateCcw, Tag, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { RunFilters } from "../../api/queries";
import { type BulkKind, type ChosenRuns, type RunCount } from "../../api/runSearch";
import { Button, buttonClass, IconButton, useFormatter } from "../../ui";
import { BulkDialog } from "./BulkDialog";
import { ExportMenu } from "./ExportMenu";
import css from "./runs.module.css";
import { TagDialog } from "./TagDialog";

const MOST = 10_000;

export interface SelectionBarProps {
  chosen: ReadonlySet<string>;
  /** Two runs of one workflow, which can be compared; null where others were chosen. */
  pair: readonly [string, string] | null;
  /** All that match are meant, also those that are not on the screen. */
  all: boolean;
  matching: RunCount | undefined;
  filters: RunFilters;
  /** That are shown. */
  columns: readonly string[];
  /** Whether there is more than what was chosen, so that all can be meant. */
  mayTakeAll: boolean;
  onAll: () => void;
  onClear: () => void;
}

/** What can be done to the chosen runs; at the foot of the page, where it hides none of them. */
export function SelectionBar(props: SelectionBarProps) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const [asking, setAsking] = useState<{ kind: BulkKind; chosen: ChosenRuns } | null>(null);
  const count = props.all ? (props.matching?.count ?? props.chosen.size) : props.chosen.size;
  const [tagging, setTagging] = useState(false);
  if (props.chosen.size === 0) return null;
  const chosen: ChosenRuns = props.all ? { search: props.filters } : { runs: [...props.chosen].slice(0, MOST) };
  const number = `${format.number(count)}${props.all && props.matching?.more ? "+" : ""}`;
  const ask = (kind: BulkKind): void => {
    setAsking({ kind, chosen });
  };
  return (
    <div className={css.selection} role="region" aria-label={t("select.bar")}>
      <span>
        <span role="status">{t("select.count", { count, number })}</span>
        <IconButton size="sm" label={t("select.clear")} icon={<X size={15} />} onClick={props.onClear} />
      </span>
      {props.mayTakeAll && !props.all && (
        <Button variant="link" onClick={props.onAll}>
          {props.matching ? t("select.takeAll", { number: `${format.number(props.matching.count)}${props.matching.more ? "+" : ""}` }) : t("select.takeAllUnknown")}
        </Button>
      )}
      <span className={css.deeds}>
        {props.pair && !props.all && (
          <Link className={buttonClass("default", "sm")} to="/runs/$runId/compare/$otherId" params={{ runId: props.pair[0], otherId: props.pair[1] }}>
            <GitCompareArrows size={14} aria-hidden />
            {t("select.compare")}
          </Link>
        )}
        <Button size="sm" icon={<RotateCcw size={14} aria-hidden />} onClick={() => ask("retry")}>
          {t("select.retry")}
        </Button>
        <Button size="sm" icon={<Copy size={14} aria-hidden />} onClick={() => ask("replay")}>
          {t("select.replay")}
        </Button>
        <Button size="sm" icon={<Tag size={14} aria-hidden />} onClick={() => setTagging(true)}>
          {t("select.tag")}
        </Button>
        <ExportMenu chosen={chosen} columns={props.columns} />
        <Button size="sm" variant="danger" icon={<Ban size={14} aria-hidden />} onClick={() => ask("cancel")}>
          {t("select.cancel")}
        </Button>
      </span>
      {tagging && <TagDialog chosen={chosen} count={count} onClose={() => setTagging(false)} />}
      {asking && (
        <BulkDialog
          kind={asking.kind}
          chosen={asking.chosen}
          onClose={() => setAsking(null)}
          onStarted={() => {
            setAsking(null);
            props.onClear();
          }}
        />
      )}
    </div>
  );
}
