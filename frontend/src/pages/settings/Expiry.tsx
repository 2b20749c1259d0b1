import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { ExpiringShape } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import { Chip, cx, EmptyState, ErrorCard, Note, sectionTitleClass, SkeletonRows, tableBoxClass, tableCardsClass, tableClass, Time, useFormatter } from "../../ui";
import { expiryOf } from "../connections/life";
import { dayOf } from "../schedules/days";
import css from "./settings.module.css";

export default function ExpiryPage() {
  const { t } = useTranslation("settings");
  return useCan("builder") ? <ExpiryList /> : <Note>{t("expiry.buildersOnly")}</Note>;
}

/** Connections, secrets and keys that end, what has ended and the earliest first. */
function ExpiryList() {
  const { t } = useTranslation(["settings", "connections", "common"]);
  const workspace = useWorkspace().id;
  const found = useQuery({
    queryKey: [workspace, "expiring"],
    queryFn: async ({ signal }) => (await api.get<{ items: ExpiringShape[] }>(`${workspacePath(workspace)}/expiring`, { signal })).items,
    staleTime: 0,
  });
  return (
    <>
      <div className={css.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("section.expiry")}</h2>
          <p>{t("expiry.lead")}</p>
        </div>
      </div>
      {found.isError && <ErrorCard title={t("loadFailed")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {found.data?.length === 0 && <EmptyState plain title={t("expiry.empty")} text={t("expiry.emptyText")} />}
      {found.data && found.data.length > 0 && (
        <div className={tableBoxClass}>
          <table className={cx(tableClass, tableCardsClass, css.cards)}>
            <thead>
              <tr>
                <th scope="col">{t("expiry.what")}</th>
                <th scope="col">{t("expiry.until")}</th>
                <th scope="col">{t("tokens.lastUsed")}</th>
                <th scope="col">{t("expiry.owner")}</th>
              </tr>
            </thead>
            <tbody>
              {found.data.map((one) => (
                <ExpiryRow key={`${one.what} ${one.id}`} one={one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function ExpiryRow({ one }: { one: ExpiringShape }) {
  const { t } = useTranslation(["settings", "connections", "common"]);
  const format = useFormatter();
  const day = one.on ?? dayOf(Date.parse(one.at ?? ""), format.timeZone);
  const expiry = expiryOf(day, dayOf(Date.now(), format.timeZone));
  // What is replaced already needs nobody's hand.
  const tone = one.replaced || !expiry ? "idle" : expiry.kind === "expired" ? "err" : "wait";
  return (
    <tr>
      <td data-cell="wide" className={css.anyLength}>
        {one.what === "token" ? <Link to="/settings/tokens">{one.name}</Link> : <Link to="/connections">{one.name}</Link>}
        <small style={{ display: "block", color: "var(--ink2)" }}>{t(`expiry.kind.${one.what}`)}</small>
      </td>
      <td data-cell="wide">
        {one.at ? <Time at={one.at} /> : format.day(`${day}T12:00:00Z`)}{" "}
        {(expiry ?? one.replaced) && <Chip tone={tone}>{one.replaced ? t("expiry.replaced") : t(`connections:life.${expiry?.kind ?? "soon"}`, { count: expiry?.days ?? 0 })}</Chip>}
      </td>
      <td data-label={t("tokens.lastUsed")}>{one.last_used_at ? <Time at={one.last_used_at} /> : t("common:never")}</td>
      <td className={css.anyLength} data-label={t("expiry.owner")}>{one.owner ?? ""}</td>
    </tr>
  );
}
