import { Scale, Trash2 } from "lucide-react";
import { lazy, Suspense, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { CLASSES, type Counted, type DataClass, type LegalHold, type Preview, type Retention, type Rules, useLiftHold, usePreview, useRetention, useSaveRules, useStored, useSweepNow } from "../../api/retention";
import { useCan } from "../../api/session";
import { Button, ConfirmDialog, EmptyState, ErrorCard, Note, sectionTitleClass, showToast, SkeletonRows, tableBoxClass, tableClass, TextField, Time, useErrorText, useFormatter } from "../../ui";
import fieldCss from "../../ui/fields.module.css";
import css from "./data.module.css";
import settingsCss from "./settings.module.css";

const HoldDialog = lazy(() => import("./HoldDialog"));

type Typed = Record<DataClass, string>;

/** What is counted of each class. */
const UNITS = { done: "run", failed: "run", tests: "run", values: "run", items: "item", calls: "run", starts: "event", files: "file", drafts: "draft" } as const;
const MOST_DAYS = 36_500;
/** What is counted waits until typing has paused for so long, ms. */
const PAUSE = 400;

function typedOf(found: Retention): Typed {
  return Object.fromEntries(found.rules.map((rule) => [rule.name, rule.days === null ? "" : String(rule.days)])) as Typed;
}

function wrongOf(text: string): boolean {
  const days = Number(text);
  return text.trim() !== "" && !(Number.isInteger(days) && days >= 1 && days <= MOST_DAYS);
}

function rulesOf(typed: Typed): Rules {
  return Object.fromEntries(CLASSES.filter((name) => typed[name].trim() !== "" && !wrongOf(typed[name])).map((name) => [name, Number(typed[name])]));
}

function usePaused<Value>(value: Value): Value {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return paused;
}

/** "1,204 runs that ended well, 12 files". */
function useCounts() {
  const { t } = useTranslation("retention");
  const format = useFormatter();
  return (found: readonly Counted[], of: "count" | "kept") =>
    found
      .filter((one) => one.count > 0)
      .map((one) => t(`${of}.${one.name}`, { count: one.count, number: format.number(one.count) }))
      .join(" · ");
}

function Rule({ name, text, change, stored, goes }: {
  name: DataClass;
  text: string;
  change: (text: string) => void;
  stored: { count: number; size: number } | undefined;
  goes: number | undefined;
}) {
  const { t } = useTranslation("retention");
  const format = useFormatter();
  const id = useId();
  const wrong = wrongOf(text);
  return (
    <tr>
      <th scope="row">
        <b id={`${id}-name`}>{t(`class.${name}.name`)}</b>
        <small id={`${id}-hint`}>{t(`class.${name}.hint`)}</small>
      </th>
      <td>
        <span className={css.days}>
          <input
            className={fieldCss.input}
            inputMode="numeric"
            aria-labelledby={`${id}-name ${id}-days`}
            aria-describedby={wrong ? `${id}-wrong` : `${id}-hint`}
            aria-invalid={wrong || undefined}
            placeholder={t("forEver")}
            value={text}
            onChange={(event) => change(event.currentTarget.value)}
          />
          <span id={`${id}-days`}>{t("days")}</span>
        </span>
        {wrong && (
          <small className={css.wrong} id={`${id}-wrong`}>
            {t("wrongDays", { most: format.number(MOST_DAYS) })}
          </small>
        )}
      </td>
      <td className={css.number} data-label={t("column.stored")}>
        {stored && (
          <>
            {format.bytes(stored.size)}
            {stored.count > 0 && <small>{t(`unit.${UNITS[name]}`, { count: stored.count, number: format.number(stored.count) })}</small>}
          </>
        )}
      </td>
      <td className={css.number} data-label={t("column.goes")}>
        {text.trim() === "" || wrong ? "–" : goes === undefined ? "…" : format.number(goes)}
      </td>
    </tr>
  );
}

function WouldGo({ preview, isPending, saved }: { preview: Preview | undefined; isPending: boolean; saved: boolean }) {
  const { t } = useTranslation("retention");
  const counts = useCounts();
  if (!preview) return isPending ? <p role="status">{t("counting")}</p> : null;
  const kept = counts(preview.kept, "kept");
  return (
    <div className={css.told} role="status">
      <p>
        {counts(preview.removes, "count") ? t(saved ? "goesNow" : "wouldGo", { what: counts(preview.removes, "count") }) : t("nothingGoes")}
        {!preview.whole && ` ${t("atLeast")}`}
      </p>
      {kept && <p>{t("keptNow", { what: kept })}</p>}
    </div>
  );
}

function LastSweep({ found }: { found: Retention }) {
  const { t } = useTranslation("retention");
  const counts = useCounts();
  const format = useFormatter();
  if (found.under_way) {
    return <p role="status">{t("underWay", { what: counts(found.under_way.removed, "count") || t("nothingYet") })}</p>;
  }
  if (found.waits) return <p role="status">{t("waits")}</p>;
  if (!found.last) return <p>{t("never")}</p>;
  const took = format.duration(Date.parse(found.last.ended_at ?? found.last.began_at) - Date.parse(found.last.began_at));
  const kept = counts(found.last.kept, "kept");
  return (
    <>
      <p>
        {t("lastRan")} <Time at={found.last.began_at} /> · {took}
      </p>
      <p>{counts(found.last.removed, "count") ? t("removed", { what: counts(found.last.removed, "count") }) : t("removedNothing")}</p>
      {kept && <p>{t("keptThen", { what: kept })}</p>}
    </>
  );
}

function SweepDialog({ preview, onClose }: { preview: Preview | undefined; onClose: () => void }) {
  const { t } = useTranslation("retention");
  const sweep = useSweepNow();
  const counts = useCounts();
  const [word, setWord] = useState("");
  const wanted = t("sweep.word");
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("sweep.title")}
      confirm={t("sweep.confirm")}
      variant="dangerFilled"
      busy={sweep.isPending}
      disabled={word.trim().toLowerCase() !== wanted.toLowerCase()}
      onConfirm={() => sweep.mutate(undefined, { onSuccess: onClose })}
    >
      {sweep.isError && <ErrorCard title={t("sweep.failed")} error={sweep.error} />}
      <p>{preview && counts(preview.removes, "count") ? t("goesNow", { what: counts(preview.removes, "count") }) : t("nothingGoes")}</p>
      <p>{t("sweep.text")}</p>
      <TextField label={t("sweep.type", { word: wanted })} value={word} autoComplete="off" data-autofocus onChange={(event) => setWord(event.currentTarget.value)} />
    </ConfirmDialog>
  );
}

function RulesForm({ found }: { found: Retention }) {
  const { t } = useTranslation(["retention", "common"]);
  const [typed, setTyped] = useState(() => typedOf(found));
  const [sweeping, setSweeping] = useState(false);
  const stored = useStored();
  const save = useSaveRules();
  const rules = rulesOf(typed);
  const asked = usePaused(JSON.stringify(rules));
  const preview = usePreview(JSON.parse(asked) as Rules, true);
  const wrong = CLASSES.some((name) => wrongOf(typed[name]));
  const saved = JSON.stringify(rules) === JSON.stringify(rulesOf(typedOf(found)));
  const goes = (name: DataClass) => (asked === JSON.stringify(rules) ? preview.data?.removes.find((one) => one.name === name)?.count : undefined);
  const outdated = save.error instanceof ApiError && save.error.code === "rules_changed";
  return (
    <form
      className={settingsCss.form}
      onSubmit={(event) => {
        event.preventDefault();
        // The form of the old rules is gone by then, and a callback of its own with it.
        void save.mutateAsync({ revision: found.revision, days: rules }).then(
          () => showToast({ title: t("savedRules") }),
          () => undefined,
        );
      }}
    >
      <div className={tableBoxClass}>
        <table className={`${tableClass} ${css.rules}`}>
          <thead>
            <tr>
              <th scope="col">{t("column.what")}</th>
              <th scope="col">{t("column.keep")}</th>
              <th scope="col" className={css.number}>{t("column.stored")}</th>
              <th scope="col" className={css.number}>{t("column.goes")}</th>
            </tr>
          </thead>
          <tbody>
            {CLASSES.map((name) => (
              <Rule
                key={name}
                name={name}
                text={typed[name]}
                change={(text) => setTyped((before) => ({ ...before, [name]: text }))}
                stored={stored.data?.find((one) => one.name === name)}
                goes={goes(name)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {stored.isError && <ErrorCard title={t("storedFailed")} error={stored.error} onRetry={() => void stored.refetch()} />}
      {preview.isError && <ErrorCard title={t("previewFailed")} error={preview.error} onRetry={() => void preview.refetch()} />}
      {save.isError && <ErrorCard title={t(outdated ? "outdated" : "saveFailed")} error={save.error} />}
      <WouldGo preview={asked === "{}" ? undefined : preview.data} isPending={preview.isFetching} saved={saved} />
      <div className={settingsCss.save}>
        <Button type="submit" variant="primary" busy={save.isPending} disabled={saved || wrong}>
          {t("save")}
        </Button>
        <Button icon={<Trash2 size={16} aria-hidden />} disabled={!saved || asked === "{}" || found.waits || found.under_way !== null} onClick={() => setSweeping(true)}>
          {t("sweep.button")}
        </Button>
      </div>
      {sweeping && <SweepDialog preview={preview.data} onClose={() => setSweeping(false)} />}
    </form>
  );
}

function Hold({ hold }: { hold: LegalHold }) {
  const { t } = useTranslation("retention");
  const lift = useLiftHold();
  const errorText = useErrorText();
  const name = hold.key ?? hold.workflow_name ?? t("hold.goneWorkflow");
  return (
    <tr>
      <th scope="row">
        <b>{name}</b>
        <small>{t(hold.key === null ? "hold.workflow" : "hold.key")}</small>
      </th>
      <td>{hold.reason}</td>
      <td className={settingsCss.hideOnPhone}>
        <Time at={hold.at} />
        {hold.by && <small>{hold.by}</small>}
      </td>
      <td className={css.end}>
        <Button
          size="sm"
          busy={lift.isPending}
          aria-label={t("hold.liftName", { name })}
          onClick={() =>
            void lift.mutateAsync(hold.id).then(
              () => showToast({ title: t("hold.lifted", { name }) }),
              (error: unknown) => showToast({ tone: "err", title: t("hold.liftFailed"), text: errorText(error).title }),
            )
          }
        >
          {t("hold.lift")}
        </Button>
      </td>
    </tr>
  );
}

function Holds({ holds }: { holds: readonly LegalHold[] }) {
  const { t } = useTranslation("retention");
  const [adding, setAdding] = useState(false);
  return (
    <section className={css.section} aria-labelledby="holds">
      <div className={settingsCss.head}>
        <div>
          <h2 className={sectionTitleClass} id="holds">{t("hold.title")}</h2>
          <p>{t("hold.lead")}</p>
        </div>
        <Button icon={<Scale size={16} aria-hidden />} onClick={() => setAdding(true)}>{t("hold.add")}</Button>
      </div>
      {holds.length === 0 ? (
        <EmptyState plain title={t("hold.none")} />
      ) : (
        <div className={tableBoxClass}>
          <table className={`${tableClass} ${css.holds}`}>
            <thead>
              <tr>
                <th scope="col">{t("hold.what")}</th>
                <th scope="col">{t("hold.reason")}</th>
                <th scope="col" className={settingsCss.hideOnPhone}>{t("hold.since")}</th>
                <th scope="col"><span className="srOnly">{t("hold.lift")}</span></th>
              </tr>
            </thead>
            <tbody>{holds.map((hold) => <Hold key={hold.id} hold={hold} />)}</tbody>
          </table>
        </div>
      )}
      {adding && <Suspense><HoldDialog onClose={() => setAdding(false)} /></Suspense>}
    </section>
  );
}

function DataSettings() {
  const { t } = useTranslation(["retention", "settings"]);
  const query = useRetention();
  const found = query.data;
  return (
    <>
      <div>
        <h2 className={sectionTitleClass}>{t("title")}</h2>
        <p className={css.lead}>{t("lead")}</p>
      </div>
      {query.isError && <ErrorCard title={t("loadFailed")} error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <SkeletonRows rows={6} height={48} label={t("loading")} />}
      {found && (
        <>
          <RulesForm key={found.revision} found={found} />
          <section className={css.section} aria-labelledby="last-sweep">
            <h2 className={sectionTitleClass} id="last-sweep">{t("lastTitle")}</h2>
            <div className={css.told}><LastSweep found={found} /></div>
          </section>
          <Holds holds={found.holds} />
          <section className={css.section} aria-labelledby="always">
            <h2 className={sectionTitleClass} id="always">{t("always.title")}</h2>
            <ul className={css.always}>
              {(["open", "letters", "audit", "figures", "starts", "uploads"] as const).map((one) => <li key={one}>{t(`always.${one}`)}</li>)}
            </ul>
          </section>
        </>
      )}
    </>
  );
}

export default function DataPage() {
  const { t } = useTranslation("settings");
  return useCan("admin") ? <DataSettings /> : <Note>{t("adminsOnly")}</Note>;
}
