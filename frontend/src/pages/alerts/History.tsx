import { useTranslation } from "react-i18next";

import type { AlertEpisodeShape } from "../../api/schema.gen";
import { retell } from "../../i18n/server";
import { Button, Chip, EmptyState, ErrorCard, SkeletonRows, Time, useFormatter } from "../../ui";
import css from "./alerts.module.css";
import { useAlertHistory } from "./queries";
import { RuleSentence } from "./Sentence";
import { standingOf } from "./words";

/** What came of rules: alerts, the newest first, and who was told. */
export function History() {
  const { t } = useTranslation("alerts");
  const history = useAlertHistory();
  const items = history.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className={css.part} aria-label={t("tabs.history")}>
      {history.isError && <ErrorCard title={t("history.failed")} error={history.error} onRetry={() => void history.refetch()} />}
      {history.isPending && <SkeletonRows rows={4} height={40} label={t("history.loading")} />}
      {history.data && items.length === 0 && <EmptyState plain title={t("history.none")} text={t("history.noneText")} />}
      {items.length > 0 && (
        <ul className={css.cards}>
          {items.map((one) => (
            <Episode key={one.id} episode={one} />
          ))}
        </ul>
      )}
      {history.hasNextPage && (
        <div>
          <Button busy={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
            {t("history.more")}
          </Button>
        </div>
      )}
    </section>
  );
}

function Episode({ episode }: { episode: AlertEpisodeShape }) {
  const { t } = useTranslation("alerts");
  const format = useFormatter();
  const open = episode.ended_at === null;
  return (
    <li className={css.card} data-testid="episode">
      <div className={css.cardText}>
        <p className={css.says}>
          <RuleSentence what={episode.what} names={[]} short />
        </p>
        <small>
          <Chip tone={open ? "err" : "idle"}>{open ? t("history.open") : t(`history.ended.${episode.ended_by ?? "recovered"}`)}</Chip>
          <span>
            {format.dayClock(episode.began_at)}
            {episode.ended_at !== null && ` – ${format.dayClock(episode.ended_at)} · ${format.duration(Date.parse(episode.ended_at) - Date.parse(episode.began_at))}`}
          </span>
          {episode.what.kind !== "no_workers" && episode.what.kind !== "arrival" && <span>{t("history.stood", { said: standingOf(episode.what, episode.measure, t, format) })}</span>}
        </small>
        {episode.messages.length > 0 && (
          <details className={css.messages}>
            <summary>{t("history.told", { count: episode.messages.length })}</summary>
            <ul>
              {episode.messages.map((one, index) => (
                <li key={index}>
                  <b>{one.to || t("removedConnection")}</b> {t(`message.kind.${one.kind}`)} · {t(`message.status.${one.status}`)}{" "}
                  <Time at={one.sent_at ?? one.due_at ?? one.at} />
                  {one.error && one.status !== "sent" && <span className={css.wrong}> {retell("failures", "alert_sent", one.error)}</span>}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}
