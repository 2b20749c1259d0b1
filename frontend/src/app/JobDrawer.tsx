import { ChevronDown, ChevronUp } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { type BulkRetry, useBulkRetries, useStarted } from "../api/bulkRetries";
import { useCan } from "../api/session";
import { BulkRetryDialog, useWord } from "../pages/dead-letters/BulkRetryProgress";
import { isGoing } from "../pages/dead-letters/going";
import { Button, IconButton, useFormatter } from "../ui";
import css from "./jobs.module.css";

const SELDOM = 30_000;

/** What is done to many runs, whichever page is open: how far it is, what came of each, and [Stop]. */
export default function JobDrawer() {
  const { t } = useTranslation("deadLetters");
  const jobs = useBulkRetries(SELDOM).data ?? [];
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const [looked, setLooked] = useState<BulkRetry | null>(null);
  const [folded, setFolded] = useState(false);
  const open = jobs.filter((job) => job.open);
  const ids = [...useStarted(), ...open.map((job) => job.id)].join(" ");
  // What was started here or seen under way stays until somebody takes it away, so that its end is told.
  useEffect(() => {
    if (ids) setSeen((before) => new Set([...before, ...ids.split(" ")]));
  }, [ids]);
  const shown = jobs.filter((job) => job.open || (seen.has(job.id) && !gone.has(job.id)));
  const over = shown.length > 0 && open.length === 0;
  return (
    <>
      {shown.length > 0 && (
        <section className={css.drawer} aria-label={t("jobs.title")}>
          <header>
            <h2>{t("jobs.title")}</h2>
            <IconButton size="sm" label={t(folded ? "jobs.unfold" : "jobs.fold")} icon={folded ? <ChevronUp size={15} /> : <ChevronDown size={15} />} aria-expanded={!folded} onClick={() => setFolded(!folded)} />
            {over && (
              <Button size="sm" variant="quiet" onClick={() => setGone(new Set(seen))}>
                {t("jobs.takeAway")}
              </Button>
            )}
          </header>
          {!folded && (
            <ul>
              {shown.map((job) => (
                <Job key={job.id} job={job} onLook={() => setLooked(job)} />
              ))}
            </ul>
          )}
        </section>
      )}
      {looked && <BulkRetryDialog bulk={looked} onClose={() => setLooked(null)} />}
    </>
  );
}

function Job({ job, onLook }: { job: BulkRetry; onLook: () => void }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const may = useCan("reviewer");
  const word = useWord(job.id);
  const settled = job.total - job.left - job.under_way;
  const facts = { context: job.kind, done: format.number(settled), count: job.total, total: format.number(job.total), failed: format.number(job.failed) };
  const share = (part: number) => `${(100 * part) / Math.max(1, job.total)}%`;
  return (
    <li>
      <p role="status">
        {t(`bulk.status.${job.status}`, facts)} {t("bulk.facts", facts)}
      </p>
      <div className={css.bar} aria-hidden>
        <i data-part="worked" style={{ width: share(job.done) }} />
        <i data-part="left" style={{ width: share(job.failed + job.asks + job.refused) }} />
        <i data-part="open" style={{ width: share(job.under_way) }} />
      </div>
      <div className={css.deeds}>
        <Button size="sm" onClick={onLook}>
          {t("bulk.look")}
        </Button>
        {job.status === "waiting" && may && (
          <Button size="sm" variant="primary" busy={word.isPending && word.variables === "go-on"} onClick={() => word.mutate("go-on")}>
            {t("bulk.goOn", { context: job.kind, count: job.left, number: format.number(job.left) })}
          </Button>
        )}
        {isGoing(job) && may && (
          <Button size="sm" variant="danger" busy={word.isPending && word.variables === "stop"} onClick={() => word.mutate("stop")}>
            {t("retry.stop")}
          </Button>
        )}
      </div>
    </li>
  );
}
