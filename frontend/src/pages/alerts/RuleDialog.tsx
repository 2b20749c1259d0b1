import { type ReactNode, useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";

import { DEFAULT, OWN, useCalendars } from "../../api/calendars";
import { ApiError, api } from "../../api/client";
import { useConnections, useWorkflows } from "../../api/queries";
import type { AlertPastShape, AlertRuleBody, AlertRuleShape, AlertsShape } from "../../api/schema.gen";
import { Button, CheckboxField, Dialog, ErrorCard, SelectField, showToast, TextField, Time, useFormatter } from "../../ui";
import css from "./alerts.module.css";
import { bodyOf, useAlertChange, useTriedRule } from "./queries";
import { filled } from "./Sentence";
import { countryOf, DAYS, type Kind, KINDS, limitOf, listOf, MINUTES, nowOf, spanOf, WITH_LEAST } from "./words";

interface RuleDialogProps {
  found: AlertsShape;
  rule: AlertRuleShape | null;
  onClose: () => void;
}

const FRESH: AlertRuleBody = { kind: "failure_rate", channels: [], limit: 5, minutes: 10, least: 10, recovered: true, urgent: false, enabled: true };
const ARRIVAL = { by: "09:00", days: "working" as const, country: "", region: "", free: [] as string[] };

/** A rule, made by filling in a sentence. */
export function RuleDialog({ found, rule, onClose }: RuleDialogProps) {
  const { t } = useTranslation(["alerts", "common"]);
  const [body, setBody] = useState<AlertRuleBody>(() => (rule ? bodyOf(rule) : { ...FRESH, channels: found.channels.slice(0, 1).map((one) => one.id) }));
  const change = (more: Partial<AlertRuleBody>) => setBody((before) => ({ ...before, ...more }));
  const save = useAlertChange<AlertRuleBody, AlertRuleShape>(
    (path, sent, once) => (rule ? api.put<AlertRuleShape>(`${path}/rules/${rule.id}`, sent, once) : api.post<AlertRuleShape>(`${path}/rules`, sent, once)),
    () => {
      showToast({ title: t(rule ? "rule.changed" : "rule.made") });
      onClose();
    },
  );
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const whole = isWhole(body);
  return (
    <Dialog opened onClose={onClose} title={t(rule ? "rule.edit" : "rule.new")} size={620}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (whole) save.mutate(body);
        }}
      >
        {save.isError && <ErrorCard title={t("rule.failed")} error={save.error} />}
        <SentenceEditor found={found} body={body} onChange={change} />
        <Now body={whole ? body : null} kind={body.kind} />
        <fieldset className={css.checks}>
          <legend>{t("rule.tell")}</legend>
          {found.channels.map((one) => (
            <CheckboxField
              key={one.id}
              label={one.name}
              checked={body.channels.includes(one.id)}
              onChange={(on) => change({ channels: on ? [...body.channels, one.id] : body.channels.filter((id) => id !== one.id) })}
            />
          ))}
          {(fields["channels"] ?? []).map((one) => (
            <p key={one} className={css.wrong}>
              {one}
            </p>
          ))}
        </fieldset>
        {body.kind === "arrival" && (body.arrival?.days ?? "working") === "working" && (
          <Calendar found={found} body={body} onChange={change} error={fields["arrival.region"]?.join(" ") ?? fields["arrival.country"]?.join(" ")} />
        )}
        <fieldset className={css.checks}>
          <legend>{t("rule.how")}</legend>
          {WITH_LEAST.includes(body.kind) && (
            <TextField
              type="number"
              min={1}
              max={100_000}
              label={t("rule.least")}
              hint={t("rule.leastHint")}
              value={body.least ?? 10}
              onChange={(event) => change({ least: Math.max(1, Math.round(Number(event.currentTarget.value) || 1)) })}
            />
          )}
          <CheckboxField label={t("rule.recovered")} checked={body.recovered !== false} onChange={(on) => change({ recovered: on })} />
          <CheckboxField label={t("rule.urgent")} hint={t("rule.urgentHint")} checked={body.urgent === true} onChange={(on) => change({ urgent: on })} />
        </fieldset>
        <div className={css.dialogEnd}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={!whole}>
            {t("rule.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whether there is something to ask the server about. */
function isWhole(body: AlertRuleBody): boolean {
  return body.channels.length > 0 && (body.kind !== "arrival" || (Boolean(body.workflow_id) && Boolean(body.arrival?.by)));
}

interface EditorProps {
  found: AlertsShape;
  body: AlertRuleBody;
  onChange: (more: Partial<AlertRuleBody>) => void;
}

function SentenceEditor({ found, body, onChange }: EditorProps) {
  const { t, i18n } = useTranslation("alerts");
  const format = useFormatter();
  const workflows = useWorkflows({}, 200);
  const connections = useConnections();
  const names = found.channels.filter((one) => body.channels.includes(one.id)).map((one) => one.name);
  const choose = (kind: Kind) =>
    onChange({
      kind,
      limit: limitOf(kind),
      connection_id: null,
      ...(kind === "queue_age" || kind === "no_workers" || kind === "connection_errors" ? { workflow_id: null } : {}),
      arrival: kind === "arrival" ? (body.arrival ?? ARRIVAL) : null,
    });
  const arrival = { ...ARRIVAL, ...body.arrival };
  const spans = [...new Set([...MINUTES, body.minutes ?? 10])].sort((a, b) => a - b);
  const flows = workflows.data?.pages.flatMap((page) => page.items) ?? [];
  const fill = (place: string): ReactNode => {
    switch (place) {
      case "channels":
        return <b>{names.length > 0 ? listOf(names, i18n.language) : t("nobody")}</b>;
      case "kind":
        return (
          <Choice first label={t("place.kind")} value={body.kind} onChange={(value) => choose(value as Kind)}>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t(`kind.${one}`)}
              </option>
            ))}
          </Choice>
        );
      case "what":
        return (
          <Choice label={t("place.what")} value={body.workflow_id ?? ""} onChange={(value) => onChange({ workflow_id: value || null })}>
            <option value="">{t(body.kind === "arrival" ? "place.choose" : "all")}</option>
            {flows.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Choice>
        );
      case "connection":
        return (
          <Choice label={t("place.connection")} value={body.connection_id ?? ""} onChange={(value) => onChange({ connection_id: value || null })}>
            <option value="">{t("anyConnection")}</option>
            {connections.data
              ?.filter((one) => one.kind !== "alert_hook" && one.kind !== "webhook_secret")
              .map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
          </Choice>
        );
      case "limit":
        return <Limit body={body} onChange={onChange} />;
      case "minutes":
        return (
          <Choice label={t("place.minutes")} value={String(body.minutes ?? 10)} onChange={(value) => onChange({ minutes: Number(value) })}>
            {spans.map((one) => (
              <option key={one} value={one}>
                {spanOf(one, t, format)}
              </option>
            ))}
          </Choice>
        );
      case "by":
        return <input type="time" required aria-label={t("place.by")} className={css.inline} value={arrival.by} onChange={(event) => onChange({ arrival: { ...arrival, by: event.currentTarget.value } })} />;
      case "days":
        return (
          <Choice label={t("place.days")} value={arrival.days} onChange={(value) => onChange({ arrival: { ...arrival, days: value as (typeof DAYS)[number] } })}>
            {DAYS.map((one) => (
              <option key={one} value={one}>
                {t(`days.${one}`)}
              </option>
            ))}
          </Choice>
        );
      default:
        return null;
    }
  };
  return (
    <p className={css.editor} data-testid="sentence">
      {filled(t(`sentence.${body.kind}`), fill)}
    </p>
  );
}

function Choice(props: { label: string; value: string; first?: boolean; onChange: (value: string) => void; children: ReactNode }) {
  return (
    <select className={css.inline} aria-label={props.label} data-autofocus={props.first || undefined} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
      {props.children}
    </select>
  );
}

/** The number is kept as it is typed: an empty field is no zero. */
function Limit({ body, onChange }: Omit<EditorProps, "found">) {
  const { t } = useTranslation("alerts");
  const [typed, setTyped] = useState<string | null>(null);
  const rate = body.kind === "failure_rate" || body.kind === "duplicate_rate";
  const time = body.kind === "p95" || body.kind === "queue_age";
  return (
    <span className={css.limit}>
      <input
        type="number"
        required
        min={0}
        max={rate ? 99.99 : 1_000_000}
        step={rate ? "any" : 1}
        aria-label={t(rate ? "place.percent" : time ? "place.seconds" : "place.number")}
        className={css.inline}
        value={typed ?? String(body.limit ?? 0)}
        onChange={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          if (text !== "" && Number.isFinite(Number(text))) onChange({ limit: Number(text) });
        }}
        onBlur={() => setTyped(null)}
      />
      {rate ? " %" : time ? ` ${t("value.unit")}` : null}
    </span>
  );
}

/** How it stands now, so that a limit is chosen knowingly. */
function Now({ body, kind }: { body: AlertRuleBody | null; kind: Kind }) {
  const { t } = useTranslation("alerts");
  const format = useFormatter();
  const tried = useTriedRule(useDeferredValue(body));
  const measure = tried.data?.measure;
  if (!body) return <p className={css.now}>{t("now.incomplete")}</p>;
  return (
    <>
      <p className={css.now} aria-live="polite" data-over={measure?.over && kind !== "arrival" ? true : undefined}>
        {measure && kind !== "arrival" && (
          <>
            {nowOf({ kind }, measure, t, format)} {measure.over && <b>{t("now.over")}</b>}
          </>
        )}
        {kind === "arrival" && tried.data?.next_at && (
          <>
            {t("now.next")} <Time at={tried.data.next_at} />
          </>
        )}
        {"\u00a0"}
      </p>
      {tried.data && <Past past={tried.data.past} />}
    </>
  );
}

/** More than so many a week are too many to be read. */
const OFTEN = 14;

/** How often it would have told lately, as a sentence and a bar for each day. */
function Past({ past }: { past: AlertPastShape | null }) {
  const { t, i18n } = useTranslation("alerts");
  const format = useFormatter();
  if (past === null) return <p className={css.now}>{t("past.unknown")}</p>;
  const count = past.counts.reduce((sum, one) => sum + one, 0);
  const on = past.counts.filter((one) => one > 0).length;
  const most = Math.max(1, ...past.counts);
  // A day has no zone: noon is of the same day wherever it is told.
  const weekday = (day: string, width: "short" | "long") => new Intl.DateTimeFormat(i18n.language, { weekday: width, timeZone: "UTC" }).format(Date.parse(`${day}T12:00:00Z`));
  const days = t("past.days", { count: on, number: format.number(on) });
  return (
    <div className={css.past} data-testid="past">
      <p aria-live="polite">
        {count === 0 ? t("past.none") : t("past.some", { count, number: format.number(count), days })} {count > OFTEN && <b>{t("past.often")}</b>}
      </p>
      <ol aria-label={t("past.title")}>
        {past.days.map((day, place) => {
          const number = past.counts[place] ?? 0;
          return (
            <li key={day} data-none={number === 0 || undefined}>
              <span className="srOnly">{t("past.day", { day: weekday(day, "long"), number: format.number(number) })}</span>
              <span aria-hidden className={css.bar} style={{ height: number === 0 ? 2 : Math.max(5, Math.round((number / most) * 30)) }} />
              <span aria-hidden>{weekday(day, "short")}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Calendar({ found, body, onChange, error }: EditorProps & { error: string | undefined }) {
  const { t, i18n } = useTranslation("alerts");
  const arrival = { ...ARRIVAL, ...body.arrival };
  const [free, setFree] = useState((arrival.free ?? []).join(", "));
  const countries = found.countries.map((code) => ({ code, name: countryOf(code, i18n.language) })).sort((a, b) => a.name.localeCompare(b.name, i18n.language));
  const put = (more: Partial<typeof arrival>) => onChange({ arrival: { ...arrival, ...more } });
  const calendars = useCalendars().data ?? [];
  const own = calendars.map((one) => ({ value: OWN + one.key, label: one.name }));
  const usual = calendars.find((one) => one.default);
  if (usual) own.unshift({ value: DEFAULT, label: t("calendar.default", { name: usual.name }) });
  const named = arrival.country.startsWith(OWN);
  if (named && !own.some((one) => one.value === arrival.country)) own.push({ value: arrival.country, label: t("calendar.gone", { name: arrival.country.slice(1) }) });
  return (
    <fieldset className={css.checks}>
      <legend>{t("calendar.title")}</legend>
      <div className={css.two}>
        <SelectField
          label={t("calendar.country")}
          value={arrival.country}
          options={[{ value: "", label: t("calendar.none") }, ...own, ...countries.map((one) => ({ value: one.code, label: one.name }))]}
          onChange={(country) => put({ country, region: "" })}
        />
        {arrival.country && !named && (
          <TextField label={t("calendar.region")} hint={t("calendar.regionHint")} error={error} maxLength={10} value={arrival.region} onChange={(event) => put({ region: event.currentTarget.value.trim().toUpperCase() })} />
        )}
      </div>
      <TextField
        label={t("calendar.free")}
        hint={t("calendar.freeHint")}
        value={free}
        onChange={(event) => {
          setFree(event.currentTarget.value);
          put({ free: event.currentTarget.value.split(/[\s,;]+/).filter((one) => /^(\d{4}-)?\d\d-\d\d$/.test(one)) });
        }}
      />
    </fieldset>
  );
}
