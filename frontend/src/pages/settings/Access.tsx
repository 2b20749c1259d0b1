import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft, Ban, Check } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { AccessView, RightView, StandsInView, TokenOfMember } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import { Chip, cx, ErrorCard, FilterChip, Note, rowsClass, sectionTitleClass, SkeletonRows, Time, useFormatter } from "../../ui";
import css from "./access.module.css";
import { byArea } from "./areas";
import settingsCss from "./settings.module.css";

type Shown = "all" | "may" | "mayNot";

/** What a member can do here, and because of what. */
export default function AccessPage() {
  const { t } = useTranslation(["settings", "access"]);
  return useCan("admin") ? <Access /> : <Note>{t("adminsOnly")}</Note>;
}

function Access() {
  const { t } = useTranslation("access");
  const { memberId } = useParams({ from: "/shell/settings/members/$memberId" });
  const workspace = useWorkspace().id;
  const query = useQuery({
    queryKey: [workspace, "members", memberId, "access"],
    queryFn: ({ signal }) => api.get<AccessView>(`${workspacePath(workspace)}/members/${memberId}/access`, { signal }),
    staleTime: 0,
  });
  const who = query.data;
  const name = who ? who.name || who.email : "";
  useEffect(() => {
    if (name) document.title = `${t("ask", { name })} · Millrace`;
  }, [name, t]);
  return (
    <>
      <Link to="/settings/members" className={css.back}>
        <ArrowLeft size={14} aria-hidden />
        {t("back")}
      </Link>
      {query.isError && <ErrorCard title={t("failed")} error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <SkeletonRows rows={8} height={34} label={t("loading")} />}
      {who && (
        <>
          <Summary who={who} name={name} />
          <Asked who={who} name={name} />
          <Rights who={who} name={name} />
          <Tokens who={who} name={name} />
        </>
      )}
    </>
  );
}

interface Of {
  who: AccessView;
  name: string;
}

function Summary({ who, name }: Of) {
  const { t } = useTranslation(["access", "settings"]);
  const format = useFormatter();
  const role = t(`settings:role.${who.role}`);
  const may = who.rights.filter((one) => one.may).length;
  const words = !who.active ? "off" : may === who.rights.length && !who.rights.some((one) => one.own_only) ? "admin" : "on";
  return (
    <div className={settingsCss.head}>
      <div>
        <h2 className={sectionTitleClass}>{t("ask", { name })}</h2>
        <p>{t(`summary.${words}`, { name, role, may: format.number(may), of: format.number(who.rights.length) })}</p>
        {who.instance_admin && <p>{t("summary.instance", { name })}</p>}
      </div>
    </div>
  );
}

/** Whose questions somebody sees, and because of what. */
function Asked({ who, name }: Of) {
  const { t } = useTranslation(["access", "settings"]);
  const format = useFormatter();
  // A day is no instant: it is the same in whatever zone.
  const day = (one: string) => format.in("UTC").day(`${one}T00:00:00Z`);
  const standing = (one: StandsInView) => {
    const words = !one.now ? "forLater" : one.last_day ? "forNow" : "forOpen";
    return t(`asked.${words}`, { name, other: one.name, first: day(one.first_day), until: one.last_day ? day(one.last_day) : "" });
  };
  return (
    <section className={css.section} aria-labelledby="access-asked">
      <h3 id="access-asked" className={sectionTitleClass}>{t("asked.title", { name })}</h3>
      {who.active ? (
        <>
          <ul className={css.lines}>
            <li>{t("asked.name", { name })}</li>
            {who.groups.map((group) => (
              <li key={group.id}>{t("asked.group", { name, group: group.name, count: group.count })}</li>
            ))}
            <li>{t("asked.role", { name, role: t(`settings:role.${who.role}`) })}</li>
            {who.role === "admin" && <li>{t("asked.admin", { name })}</li>}
            <li>{t("asked.everybody")}</li>
            {who.stands_in_for.map((one) => (
              <li key={one.member}>{standing(one)}</li>
            ))}
          </ul>
          {who.away && <Note>{t("asked.away", { name, other: who.away.name })}</Note>}
          <p>{t("asked.open", { count: who.questions, number: format.number(who.questions), name })}</p>
        </>
      ) : (
        <p className={css.none}>{t("asked.none", { name })}</p>
      )}
    </section>
  );
}

function Rights({ who, name }: Of) {
  const { t } = useTranslation("access");
  const [shown, setShown] = useState<Shown>("all");
  const rights = who.rights.filter((one) => shown === "all" || one.may === (shown === "may"));
  return (
    <section className={css.section} aria-labelledby="access-rights">
      <div className={css.bar}>
        <h3 id="access-rights" className={sectionTitleClass}>{t("rights")}</h3>
        <div role="group" aria-label={t("only.label")} style={{ display: "flex", flexWrap: "wrap", gap: 6 }}>
          {(["all", "may", "mayNot"] as const).map((one) => (
            <FilterChip key={one} on={shown === one} onClick={() => setShown(one)}>
              {t(`only.${one}`)}
            </FilterChip>
          ))}
        </div>
      </div>
      <div className={css.areas}>
        {byArea(rights).map((group) => (
          <div key={group.area} className={css.area}>
            <h4>{t(`area.${group.area}`)}</h4>
            <ul className={cx(rowsClass, css.rights)}>
              {group.rights.map((right) => (
                <RightRow key={right.action} right={right} who={who} name={name} />
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}

function RightRow({ right, who, name }: Of & { right: RightView }) {
  const { t } = useTranslation(["access", "settings"]);
  const words = { name, role: t(`settings:role.${who.role}`), least: t(`settings:role.${right.least}`) };
  const Sign = right.may ? Check : Ban;
  return (
    <li data-may={right.may} data-action={right.action}>
      <Sign size={15} aria-hidden />
      <span>
        <span className="srOnly">{t(right.may ? "may" : "mayNot")}: </span>
        {t(`action.${right.action}`)}
      </span>
      <small>
        {t(`because.${right.because}`, words)}
        {right.own_only && ` · ${t("because.own_only", words)}`}
      </small>
    </li>
  );
}

function Tokens({ who, name }: Of) {
  const { t } = useTranslation("access");
  return (
    <section className={css.section} aria-labelledby="access-tokens">
      <h3 id="access-tokens" className={sectionTitleClass}>{t("tokens.title", { name })}</h3>
      {who.tokens.length === 0 ? (
        <p className={css.none}>{t("tokens.none", { name })}</p>
      ) : (
        <>
          <p>{t("tokens.lead", { name })}</p>
          <div className={rowsClass}>
            {who.tokens.map((token) => (
              <Token key={token.id} token={token} />
            ))}
          </div>
        </>
      )}
    </section>
  );
}

function Token({ token }: { token: TokenOfMember }) {
  const { t } = useTranslation(["access", "settings"]);
  const format = useFormatter();
  return (
    <div className={css.token}>
      <div>
        <b>{token.name}</b> <code>{token.prefix}</code>{" "}
        {token.scopes.map((scope) => (
          <Chip key={scope}>{t(`settings:scopeShort.${scope}`)}</Chip>
        ))}
      </div>
      <small>
        {t("tokens.until", { when: format.day(token.expires_at) })} ·{" "}
        {token.last_used_at ? (
          <>
            {t("tokens.used")} <Time at={token.last_used_at} />
          </>
        ) : (
          t("tokens.unused")
        )}
      </small>
      {token.may.length === 0 ? (
        <small>{t("tokens.nothing")}</small>
      ) : (
        <details>
          <summary>{t("tokens.may", { count: token.may.length, number: format.number(token.may.length) })}</summary>
          <ul className={css.lines}>
            {token.may.map((action) => (
              <li key={action}>{t(`action.${action}`)}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
