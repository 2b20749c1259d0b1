import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { type BulkRetry, useBulkRetries } from "../../api/bulkRetries";
import { useCan, useWorkspace } from "../../api/session";
import { Button, ErrorCard, Note, useFormatter } from "../../ui";
import { BulkRetryDialog, useWord } from "./BulkRetryProgress";
import { goesOnOlder, isGoing } from "./going";
import css from "./deadLetters.module.css";

/** The bulk retries that are under way, whoever started them and wherever. */
export function BulkRetries({ every, onClosed }: { every: number; onClosed: () => void }) {
  const { t } = useTranslation("deadLetters");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const query = useBulkRetries(every);
  const [looked, setLooked] = useState<BulkRetry | null>(null);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const going = query.data?.filter((one) => one.open && one.kind === "retry") ?? [];
  const ids = going.map((one) => one.id).join(" ");
  // What was seen under way stays until the page is left, so that its end is told.
  useEffect(() => {
    if (ids) setSeen((before) => new Set([...before, ...ids.split(" ")]));
  }, [ids]);
  // What was begun leaves the groups, and what fails again comes back.
  const moved = going.map((one) => `${one.id}:${one.begun}:${one.done}:${one.failed}`).join(" ");
  useEffect(() => {
    void client.invalidateQueries({ queryKey: [workspace, "dead-letters", "groups"] });
  }, [moved, client, workspace]);
  const shown = query.data?.filter((one) => one.kind === "retry" && (one.open || seen.has(one.id))) ?? [];
  return (
    <>
      {shown.length > 0 && (
        <ul className={css.bulks} aria-label={t("bulk.list")}>
          {shown.map((bulk) => (
            <li key={bulk.id}>
              <Line bulk={bulk} onLook={() => setLooked(bulk)} />
            </li>
          ))}
        </ul>
      )}
      {looked && (
        <BulkRetryDialog
          bulk={looked}
          onClose={() => {
            setLooked(null);
            onClosed();
          }}
        />
      )}
    </>
  );
}

function Line({ bulk, onLook }: { bulk: BulkRetry; onLook: () => void }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const may = useCan("reviewer");
  const word = useWord(bulk.id);
  const going = isGoing(bulk);
  const facts = {
    title: bulk.title || t("bulk.title"),
    done: format.number(bulk.total - bulk.left - bulk.under_way),
    count: bulk.total,
    total: format.number(bulk.total),
    failed: format.number(bulk.failed),
  };
  const tone = bulk.status === "waiting" || bulk.status === "stopped" ? "wait" : bulk.status === "done" && bulk.failed === 0 ? "ok" : "accent";
  return (
    <Note tone={tone}>
      <div className={css.trialRow}>
        <span role="status">
          <strong>{facts.title}</strong> {t(`bulk.status.${bulk.status}`, facts)} {t("bulk.facts", facts)}
          {bulk.workflow_held && going && ` ${t("retry.workflowHeld")}`}
          {going &&
            goesOnOlder(bulk).map(({ workflow, version, live }) => (
              <span key={workflow.id} className={css.heldTo}>
                {t("bulk.heldToOlder", { name: workflow.name, version, live })}
              </span>
            ))}
        </span>
        <span className={css.trialActions}>
          <Button size="sm" onClick={onLook}>
            {t("bulk.look")}
          </Button>
          {bulk.status === "waiting" && may && (
            <Button size="sm" variant="primary" busy={word.isPending && word.variables === "go-on"} onClick={() => word.mutate("go-on")}>
              {t("bulk.goOn", { count: bulk.left, number: format.number(bulk.left) })}
            </Button>
          )}
          {going && may && (
            <Button size="sm" variant="danger" busy={word.isPending && word.variables === "stop"} onClick={() => word.mutate("stop")}>
              {t("retry.stop")}
            </Button>
          )}
        </span>
      </div>
      {word.isError && <ErrorCard title={t("bulk.wordFailed")} error={word.error} />}
    </Note>
  );
}
