import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { CircleCheck, CircleMinus, CircleX, Clock } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflow } from "../../api/queries";
import type { EventShape } from "../../api/schema.gen";
import { reasonText } from "../../i18n/server";
import { Button, Card, Chip, EmptyState, ErrorCard, FilterChip, More, leadClass, PageBody, SkeletonRows, TextField, Time, useFormatter } from "../../ui";
import { WorkflowBar } from "../workflow/WorkflowBar";
import { Again } from "./Again";
import { EventDetail } from "./EventDetail";
import css from "./events.module.css";
import { type EventSearch, useAgain, useStartEvents } from "./queries";

/** Everything that knocked at a workflow, what was turned away included, with the reason for each. */
export default function EventsPage() {
  const { t } = useTranslation("events");
  const { id } = useParams({ from: "/shell/workflows/$id/events" });
  const search = useSearch({ from: "/shell/workflows/$id/events" });
  const navigate = useNavigate({ from: "/workflows/$id/events" });
  const workflow = useWorkflow(id);
  const found = useStartEvents(id, search);
  const again = useAgain(id, search);
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  useEffect(() => {
    document.title = `${t("title")} · ${workflow.data?.name ?? ""} · Millrace`;
  }, [t, workflow.data?.name]);
  const go = (more: { [name in keyof EventSearch]: EventSearch[name] | undefined }) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...more }).filter(([, value]) => value !== undefined && value !== "")),
      replace: true,
    });
  // Said only once both lists have come: what was not asked for is not known to be empty.
  const none = found.data !== undefined && items.length === 0 && (!search.why || again.data?.pages[0]?.items.length === 0);
  const filtered = Boolean(search.why || search.since || search.until);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow.data} tab="events" />
      <PageBody className={css.page}>
        <p className={leadClass}>{t("lead")}</p>
        <div className={css.filters} role="group" aria-label={t("filter.label")}>
          <FilterChip on={!search.why} onClick={() => go({ why: undefined })}>
            {t("filter.all")}
          </FilterChip>
          <FilterChip on={Boolean(search.why)} onClick={() => go({ why: true })}>
            {t("filter.why")}
          </FilterChip>
          <TextField label={t("filter.since")} type="datetime-local" value={search.since ?? ""} onChange={(event) => go({ since: event.currentTarget.value })} />
          <TextField label={t("filter.until")} type="datetime-local" value={search.until ?? ""} onChange={(event) => go({ until: event.currentTarget.value })} />
        </div>
        {found.isError && <ErrorCard title={t("failed")} error={found.error} onRetry={() => void found.refetch()} />}
        {found.isPending && <SkeletonRows rows={6} label={t("loading")} />}
        {search.why && again.isError && <ErrorCard title={t("again.failed")} error={again.error} onRetry={() => void again.refetch()} />}
        {none && (
          <EmptyState
            plain={filtered}
            title={search.why ? t("empty.why") : filtered ? t("empty.filtered") : t("empty.title")}
            text={search.why ? t("empty.whyText") : filtered ? undefined : t("empty.text")}
            actions={filtered ? <Button onClick={() => go({ why: undefined, since: undefined, until: undefined })}>{t("filter.clear")}</Button> : undefined}
          />
        )}
        {items.length > 0 && (
          <Card>
            <ul className={css.list} aria-label={t("title")}>
              {items.map((one) => (
                <Row key={one.id} event={one} onOpen={() => go({ event: one.id })} />
              ))}
            </ul>
          </Card>
        )}
        <More of={found}>{t("more")}</More>
        {search.why && <Again found={again} onOpen={(event) => go({ event })} />}
        {search.why && (
          <p className={css.aside}>
            {t("filteredRuns")}{" "}
            <Link to="/workflows/$id/runs" params={{ id }}>
              {t("runs")}
            </Link>
          </p>
        )}
      </PageBody>
      {search.event && <EventDetail id={search.event} onClose={() => go({ event: undefined })} />}
    </>
  );
}

const LOOKS = {
  accepted: { tone: "ok", Icon: CircleCheck },
  queued: { tone: "wait", Icon: Clock },
  skipped: { tone: "idle", Icon: CircleMinus },
  rejected: { tone: "err", Icon: CircleX },
} as const;

function Row({ event, onOpen }: { event: EventShape; onOpen: () => void }) {
  const { t } = useTranslation("events");
  const format = useFormatter();
  const { tone, Icon } = LOOKS[event.verdict as keyof typeof LOOKS] ?? LOOKS.skipped;
  const source = t(`source.${event.source}`, { defaultValue: event.source });
  return (
    <li className={css.row}>
      <Chip tone={tone} icon={<Icon size={13} aria-hidden />}>
        {t(`verdict.${event.verdict}`, { defaultValue: event.verdict })}
      </Chip>
      <div className={css.what}>
        <button type="button" className={css.open} onClick={onOpen}>
          {source} <Time at={event.received_at} />
        </button>
        <small>
          {[
            event.reason && reasonText(event.reason),
            event.dedupe_key && t("key", { key: event.dedupe_key.replace(/^start:/, "") }),
            event.answered !== null && t(`answered.${event.answered}`, { defaultValue: String(event.answered) }),
            event.duplicates > 0 && t("duplicates", { count: event.duplicates, number: format.number(event.duplicates) }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </small>
      </div>
      {event.run_id && (
        <Link to="/runs/$runId" params={{ runId: event.run_id }} className={css.link}>
          {t("run")}
        </Link>
      )}
    </li>
  );
}
