import { Link } from "@tanstack/react-router";
import { CalendarClock, ChevronDown, ChevronRight, Filter, KeyRound, Mail, Terminal, UserX } from "lucide-react";
import { Fragment, type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { AuditActor, AuditRow, HistoryRow } from "../../api/audit";
import { Avatar, Button, cx, IconButton, tableClass, Time, useFormatter } from "../../ui";
import css from "./history.module.css";
import { inPlaceOf, lineOf, tell } from "./telling";

const MARKS = { token: KeyRound, link: Mail, command: Terminal, nobody: UserX, rule: CalendarClock } as const;

/** The deed in words; one that a newer server knows keeps its own name. */
export function useVerb(): (verb: string) => string {
  const { t } = useTranslation("audit");
  return (verb) => t(`verb.${verb}`, { defaultValue: verb });
}

function Actor({ actor, other }: { actor: AuditActor; other: string | null }) {
  const { t } = useTranslation("audit");
  const name = actor.kind === "nobody" || actor.kind === "rule" ? t(`actor.${actor.kind}`) : actor.name;
  const Mark = actor.kind === "member" ? undefined : MARKS[actor.kind];
  return (
    <span className={css.actor}>
      {Mark ? (
        <span className={css.mark} title={t(`actor.${actor.kind}`)}>
          <Mark size={14} aria-hidden />
          <span className="srOnly">{t(`actor.${actor.kind}`)}</span>
        </span>
      ) : (
        <Avatar name={actor.name} />
      )}
      <span>{other ? t("inPlaceOf", { name, other }) : name}</span>
    </span>
  );
}

/** How the log calls a thing. A rule of alerts has no name of its own: it is called by what it looks at. */
function useThingName(): (thing: HistoryRow["object"]) => string {
  const { t } = useTranslation("audit");
  return ({ kind, name }) => {
    if (kind !== "alert_rule") return name;
    const [rule = "", ...of] = name.split(" · ");
    return [t(`rule.${rule}`, { defaultValue: rule }), ...of].join(" · ");
  };
}

/** The thing's name, which leads to it where it has a page. */
function Thing({ row, leads }: { row: HistoryRow; leads: boolean }) {
  const { kind, id } = row.object;
  const label = useThingName()(row.object) || id.slice(0, 8);
  if (!label) return null;
  if (id && leads) {
    if (kind === "workflow") return <Link to="/workflows/$id/history" params={{ id }}>{label}</Link>;
    if (kind === "run") return <Link to="/runs/$runId" params={{ runId: id }}>{label}</Link>;
    if (kind === "connection") return <Link to="/connections" search={{ history: id }}>{label}</Link>;
    if (kind === "table") return <Link to="/tables/$tableId" params={{ tableId: id }}>{label}</Link>;
    if (kind === "task") return <Link to="/inbox" search={{ task: id }}>{label}</Link>;
  }
  return <span>{label}</span>;
}

function useFieldName(): (name: string) => string {
  const { t } = useTranslation("audit");
  return (name) => {
    const [head = "", ...rest] = name.split(".");
    const said = t(`field.${head}`, { defaultValue: head.replaceAll("_", " ") });
    return [said, ...rest].join(" · ");
  };
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Detail({ row }: { row: HistoryRow & Partial<AuditRow> }) {
  const { t } = useTranslation("audit");
  const format = useFormatter();
  const fieldName = useFieldName();
  const told = tell(row.detail);
  const words = { yes: t("yes"), no: t("no"), nothing: "–" };
  const instant = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
  const text = (value: unknown) => (typeof value === "string" && instant.test(value) ? format.exact(value) : lineOf(value, words));
  return (
    <div className={css.detail}>
      {told.differences.length > 0 && (
        <table className={css.differences} aria-label={t("differences")}>
          <thead>
            <tr>
              <th scope="col">{t("column.field")}</th>
              <th scope="col">{t("column.before")}</th>
              <th scope="col">{t("column.after")}</th>
            </tr>
          </thead>
          <tbody>
            {told.differences.map((one) => (
              <tr key={one.name}>
                <th scope="row">{fieldName(one.name)}</th>
                <td>{text(one.before)}</td>
                <td>{text(one.after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <dl className={css.facts}>
        {told.facts.map((one) => (
          <Line key={one.name} label={fieldName(one.name)}>
            {text(one.value)}
          </Line>
        ))}
        {told.digests.map((one) => (
          <Line key={`sha256 ${one.name}`} label={one.name.startsWith("sha256") ? fieldName(one.name) : t("digestOf", { name: fieldName(one.name) })}>
            <code>{lineOf(one.value, words)}</code>
          </Line>
        ))}
        <Line label={t("when")}>{format.exact(row.at)}</Line>
        {row.address !== undefined && (
          <>
            <Line label={t("from")}>{[row.address, row.agent].filter(Boolean).join(" · ") || words.nothing}</Line>
            {row.request_id && (
              <Line label={t("request")}>
                <code>{row.request_id}</code>
              </Line>
            )}
            <Line label={t("rowDigest", { number: row.sequence })}>
              <code>{row.digest}</code>
            </Line>
          </>
        )}
      </dl>
    </div>
  );
}

function Row({ row, whole, leads, onOnly }: { row: HistoryRow & Partial<AuditRow>; whole: boolean; leads: boolean; onOnly: OnOnly | undefined }) {
  const { t } = useTranslation("audit");
  const verb = useVerb();
  const called = useThingName();
  const id = useId();
  const [open, setOpen] = useState(false);
  const said = verb(row.verb);
  return (
    <Fragment>
      <tr data-verb={row.verb} data-open={open || undefined}>
        <td>
          <IconButton
            size="sm"
            label={t(open ? "hide" : "show", { what: said, name: called(row.object) })}
            aria-expanded={open}
            aria-controls={open ? id : undefined}
            icon={open ? <ChevronDown size={16} /> : <ChevronRight size={16} />}
            onClick={() => setOpen(!open)}
          />
        </td>
        <td data-part="when">
          <Time at={row.at} />
        </td>
        <td data-part="who">
          <Actor actor={row.actor} other={inPlaceOf(row.detail)} />
        </td>
        <td data-part="what">
          <b>{said}</b> <Thing row={row} leads={leads} />
        </td>
        {whole && (
          <td data-part="from">
            {row.address}
            {row.agent && <small>{row.agent}</small>}
          </td>
        )}
      </tr>
      {open && (
        <tr className={css.detailRow} id={id}>
          <td colSpan={whole ? 5 : 4}>
            <Detail row={row} />
            {onOnly && row.object.id && (
              <Button size="sm" variant="quiet" icon={<Filter size={14} aria-hidden />} onClick={() => onOnly(row.object)}>
                {t("filter.onlyThis")}
              </Button>
            )}
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** Shows nothing but what was done to this thing. */
type OnOnly = (thing: HistoryRow["object"]) => void;

/** Rows with what is in them behind an arrow. `whole`: also from where, and names lead to their things. */
export function Rows(props: { rows: readonly (HistoryRow & Partial<AuditRow>)[]; label: string; whole?: boolean; onOnly?: OnOnly | undefined }) {
  const { t } = useTranslation("audit");
  const whole = props.whole ?? false;
  return (
    <table className={cx(tableClass, css.rows)} aria-label={props.label}>
      <thead>
        <tr>
          <th scope="col">
            <span className="srOnly">{t("column.more")}</span>
          </th>
          <th scope="col">{t("column.when")}</th>
          <th scope="col">{t("column.who")}</th>
          <th scope="col">{t("column.what")}</th>
          {whole && <th scope="col">{t("column.from")}</th>}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <Row key={row.sequence} row={row} whole={whole} leads={whole} onOnly={props.onOnly} />
        ))}
      </tbody>
    </table>
  );
}
