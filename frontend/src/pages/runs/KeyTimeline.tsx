import { Link, useParams } from "@tanstack/react-router";
import { ChevronRight, CopyPlus, Play, RotateCcw, Search, Undo2, UserCheck } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";

import { type KeyEvent, useKeyTimeline } from "../../api/runSearch";
import type { RunStatus } from "../../api/types";
import { failureNamed } from "../../i18n/server";
import { buttonClass, Card, ClockTime, EmptyState, ErrorCard, Note, PageBody, runStatusKind, SkeletonRows, StatusIcon, TopBar, useFormatter } from "../../ui";
import { FieldValue } from "./RunTable";
import css from "./timeline.module.css";
import { eventBy, saidWords } from "./words";

const ICONS: Record<string, ReactNode> = {
  started: <Play size={15} aria-hidden />,
  started_anew: <CopyPlus size={15} aria-hidden />,
  came_again: <CopyPlus size={15} aria-hidden />,
  came_differently: <CopyPlus size={15} aria-hidden />,
  decided: <UserCheck size={15} aria-hidden />,
  retried: <RotateCcw size={15} aria-hidden />,
  undo: <Undo2 size={15} aria-hidden />,
};

/** Everything that happened to what people call by one key, across workflows. */
export default function KeyTimelinePage() {
  const { t } = useTranslation("runs");
  const { key } = useParams({ from: "/shell/keys/$key" });
  const query = useKeyTimeline(key);
  const format = useFormatter();
  const found = query.data;
  useEffect(() => {
    document.title = `${found?.key ?? key} · Millrace`;
  }, [found?.key, key]);
  const days = new Map<string, KeyEvent[]>();
  for (const event of found?.items ?? []) {
    const day = format.day(event.at);
    days.set(day, [...(days.get(day) ?? []), event]);
  }
  return (
    <>
      <TopBar
        crumbs={
          <>
            <Link to="/runs">{t("title")}</Link>
            <ChevronRight size={15} aria-hidden />
          </>
        }
        title={found?.key ?? key}
        actions={
          <Link to="/runs" search={{ q: `key="${key}"` }} className={buttonClass("default")}>
            <Search size={15} aria-hidden />
            {t("timeline.list")}
          </Link>
        }
      />
      <PageBody narrow>
        {query.isError && <ErrorCard title={t("timeline.failed")} error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <SkeletonRows rows={6} height={30} label={t("loading")} />}
        {found && found.fields.length > 0 && (
          <dl className={css.fields}>
            {found.fields.map((field) => (
              <div key={field.name}>
                <dt>{field.label}</dt>
                <dd>
                  <FieldValue field={field} />
                </dd>
              </div>
            ))}
          </dl>
        )}
        {found?.more && <Note tone="wait">{t("timeline.more")}</Note>}
        {found && found.items.length === 0 && <EmptyState plain title={t("timeline.nothing", { key })} />}
        {[...days].map(([day, events]) => (
          <Card key={day} padded>
            <h2 className={css.day}>{day}</h2>
            <ol className={css.events}>
              {events.map((event) => (
                <Event key={`${event.run}${event.at}${event.kind}${event.by}`} event={event} />
              ))}
            </ol>
          </Card>
        ))}
      </PageBody>
    </>
  );
}

function Event({ event }: { event: KeyEvent }) {
  const { t, i18n } = useTranslation(["runs", "common"]);
  const icon = ICONS[event.kind] ?? <StatusIcon kind={runStatusKind({ status: (event.kind === "cancelled" ? "cancelled" : event.kind) as RunStatus } as never)} size={16} decorative />;
  const who = eventBy(event, t as never);
  const said = event.kind === "decided" ? event.text : failureNamed(event.text);
  const words = t(`timeline.kind.${event.kind}`, { who, what: said, outcome: saidWords(event, { t: t as never, i18n }), context: event.by ? "by" : "alone" });
  return (
    <li>
      <ClockTime at={event.at} />
      <span className={css.icon}>{icon}</span>
      <span className={css.words}>
        <span>{words}</span>
        {event.text && event.kind !== "decided" && <small>{said}</small>}
        {event.comment && <q>{event.comment}</q>}
        <small>
          <Link to="/runs/$runId" params={{ runId: event.run }}>
            {event.workflow.name} · <span className="mono">{event.short_id}</span>
          </Link>
        </small>
      </span>
    </li>
  );
}
