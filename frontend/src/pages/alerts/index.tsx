import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import { Chip, EmptyState, ErrorCard, PageBody, segmentClass, segmentsClass, SkeletonRows, TopBar, useFormatter } from "../../ui";
import css from "./alerts.module.css";
import { Channels } from "./Channels";
import { History } from "./History";
import { useAlerts } from "./queries";
import { Rules } from "./Rules";
import { type AlertsTab, TABS } from "./tabs";

/** Who is told of what goes wrong, and what came of that. */
export default function AlertsPage() {
  const { t } = useTranslation("alerts");
  const tab: AlertsTab = useSearch({ from: "/shell/monitor/alerts" }).tab ?? "rules";
  const allowed = useCan("admin");
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  return (
    <>
      <TopBar
        showWay
        crumbs={
          <>
            <Link to="/monitor">{t("monitor")}</Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={t("title")}
        middle={
          allowed && (
            <nav className={segmentsClass} aria-label={t("tabs.label")}>
              {TABS.map((one) => (
                <Link key={one} to="/monitor/alerts" search={one === "rules" ? {} : { tab: one }} activeOptions={{ exact: true, includeSearch: true }} className={segmentClass}>
                  {t(`tabs.${one}`)}
                </Link>
              ))}
            </nav>
          )
        }
      />
      <PageBody className={css.page}>{allowed ? <Board tab={tab} /> : <EmptyState plain title={t("forbidden.title")} text={t("forbidden.text")} />}</PageBody>
    </>
  );
}

function Board({ tab }: { tab: AlertsTab }) {
  const { t } = useTranslation("alerts");
  const format = useFormatter();
  const navigate = useNavigate({ from: "/monitor/alerts" });
  const alerts = useAlerts();
  const found = alerts.data;
  return (
    <>
      {alerts.isError && <ErrorCard title={t("failed")} error={alerts.error} onRetry={() => void alerts.refetch()} />}
      {alerts.isPending && <SkeletonRows rows={4} height={48} label={t("loading")} />}
      {found && found.active > 0 && (
        <div role="status">
          <Chip tone="err">{t("active", { count: found.active, number: format.number(found.active) })}</Chip>
        </div>
      )}
      {found && tab === "rules" && <Rules found={found} onChannels={() => void navigate({ search: { tab: "channels" } })} />}
      {found && tab === "channels" && <Channels found={found} />}
      {tab === "history" && <History />}
    </>
  );
}
