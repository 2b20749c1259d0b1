import { Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useNodeTypes } from "../../api/queries";
import type { MonitorShape, StandingShape } from "../../api/schema.gen";
import { Chip, cx, IconButton, numClass, sectionTitleClass, tableBoxClass, tableClass, Time, useFormatter } from "../../ui";
import { csvOf, saveText } from "./chart";
import { ENDED, FAILED, failedOf, failureOf, longest } from "./figures";
import css from "./monitor.module.css";
import type { RunsIn } from "./range";

/** Which share each workflow has. */
export function Workflows({ found, span }: { found: MonitorShape; span: RunsIn }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const percent = (value: number | null) => (value === null ? "–" : format.number(value, { style: "percent", maximumFractionDigits: 1 }));
  const head = ["workflow", "ended", "failed", "failure", "p95", "repeated"] as const;
  const save = () =>
    saveText(
      "workflows.csv",
      csvOf([
        head.map((one) => t(`workflows.${one}`)),
        ...found.workflows.map((one) => [one.name, one.happened.ended, one.happened.failed, failureOf(one.happened), one.took.p95, one.happened.repeated]),
      ]),
    );
  return (
    <section className={css.list} aria-labelledby="by-workflow">
      <div className={css.chartHead}>
        <h2 id="by-workflow" className={sectionTitleClass}>
          {t("workflows.title")}
        </h2>
        <span className={css.chartActions}>
          <IconButton label={t("chart.csv", { title: t("workflows.title") })} icon={<Download size={15} aria-hidden />} onClick={save} />
        </span>
      </div>
      {found.workflows.length === 0 ? (
        <p className={css.chartEmpty}>{t("workflows.none")}</p>
      ) : (
        // Reached by keyboard to be scrolled.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className={tableBoxClass} tabIndex={0} role="region" aria-label={t("workflows.title")}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">{t("workflows.workflow")}</th>
                <th scope="col" className={numClass}>{t("workflows.ended")}</th>
                <th scope="col">{t("workflows.trend")}</th>
                <th scope="col" className={numClass}>{t("workflows.failed")}</th>
                <th scope="col" className={numClass}>{t("workflows.failure")}</th>
                <th scope="col" className={numClass}>{t("workflows.p95")}</th>
                <th scope="col" className={numClass}>{t("workflows.repeated")}</th>
              </tr>
            </thead>
            <tbody>
              {found.workflows.map((one) => (
                <tr key={one.workflow_id} data-testid="workflow-figures">
                  <th scope="row" className={css.name}>
                    <Link to="/monitor" search={(before) => ({ ...before, workflow: one.workflow_id })}>
                      {one.name}
                    </Link>
                  </th>
                  <td className={cx(numClass, "tn")}>
                    <Link to="/runs" search={{ workflow: one.workflow_id, ...span, status: ENDED }}>
                      {format.number(one.happened.ended)}
                    </Link>
                  </td>
                  <td>
                    <Trend values={one.trend} />
                  </td>
                  <td className={cx(numClass, "tn")}>
                    <Link to="/runs" search={{ workflow: one.workflow_id, ...span, status: ["dead_lettered"] }}>
                      {format.number(one.happened.failed)}
                    </Link>
                  </td>
                  <td className={cx(numClass, "tn")}>
                    {failureOf(one.happened) === null ? (
                      "–"
                    ) : (
                      <Link to="/runs" search={{ workflow: one.workflow_id, ...span, status: FAILED }}>
                        {percent(failureOf(one.happened))}
                      </Link>
                    )}
                  </td>
                  <td className={cx(numClass, "tn")}>
                    {one.took.p95 === null ? (
                      "–"
                    ) : (
                      <Link to="/runs" search={{ workflow: one.workflow_id, ...longest(span) }}>
                        {format.duration(one.took.p95)}
                      </Link>
                    )}
                  </td>
                  <td className={cx(numClass, "tn")}>
                    <Link to="/workflows/$id/starts" params={{ id: one.workflow_id }}>
                      {format.number(one.happened.repeated)}
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** A picture of what stands in the numbers beside it. */
function Trend({ values }: { values: number[] }) {
  const most = Math.max(1, ...values);
  return (
    <svg className={css.trend} width={values.length * 4} height={22} aria-hidden>
      {values.map((value, index) => (
        <rect key={index} x={index * 4} width={3} y={22 - Math.max(value > 0 ? 2 : 1, (value / most) * 20)} height={Math.max(value > 0 ? 2 : 1, (value / most) * 20)} data-none={value === 0 || undefined} />
      ))}
    </svg>
  );
}

/** Runs that stand still, and why. */
export function StuckRuns({ standing }: { standing: StandingShape }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  return (
    <section className={css.list} aria-labelledby="stuck">
      <h2 id="stuck" className={sectionTitleClass}>
        {t("stuck.title")}
      </h2>
      {standing.stuck.length === 0 && <p className={css.chartEmpty}>{t("stuck.none")}</p>}
      <ul className={css.rows}>
        {standing.stuck.map((one) => (
          <li key={`${one.reason}${one.text ?? ""}`}>
            <Chip tone="err">{format.number(one.count)}</Chip>
            <div>
              <b>{t(`stuck.reason.${one.reason}`)}</b>
              <small>
                {one.text ?? t(`stuck.text.${one.reason}`)} {t("stuck.since")} <Time at={one.since} />
              </small>
              <small className={css.ways}>
                {one.runs.map((run) => (
                  <Link key={run.run_id} to="/runs/$runId" params={{ runId: run.run_id }}>
                    {run.workflow_name || t("stuck.run")}
                  </Link>
                ))}
                {one.count > one.runs.length && (
                  <Link to="/runs" search={{ status: one.reason === "set_aside" ? ["parked"] : ["accepted", "running"] }}>
                    {t("stuck.all", { number: format.number(one.count) })}
                  </Link>
                )}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Who works, and when each was heard of last. */
export function Workers({ standing }: { standing: StandingShape }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  return (
    <section className={css.list} aria-labelledby="workers">
      <h2 id="workers" className={sectionTitleClass}>
        {t("workers.title")}
      </h2>
      {!standing.workers.some((one) => one.alive && (one.kind === "worker" || one.kind === "embedded")) && <p className={css.warning}>{t("workers.none")}</p>}
      <ul className={css.rows}>
        {standing.workers.map((one) => (
          <li key={`${one.kind}${one.host}${one.started_at}`}>
            <Chip tone={one.alive ? "ok" : "err"}>{t(one.alive ? "workers.alive" : "workers.gone")}</Chip>
            <div>
              <b>
                {t(`workers.kind.${one.kind}`)} <span className={css.quiet}>{one.host}</span>
              </b>
              <small>
                {t("workers.seen")} <Time at={one.seen_at} /> · {t("workers.running", { count: one.running, number: format.number(one.running) })}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Which connections failed, and what went live meanwhile. */
export function Systems({ found, span }: { found: MonitorShape; span: RunsIn }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const specs = useNodeTypes().data;
  const called = (type: string | null) => Object.values(specs ?? {}).find((one) => one.name === type)?.title ?? type;
  return (
    <section className={css.list} aria-labelledby="systems">
      <h2 id="systems" className={sectionTitleClass}>
        {t("systems.title")}
      </h2>
      {found.systems.length === 0 && <p className={css.chartEmpty}>{t("systems.none")}</p>}
      <ul className={css.rows}>
        {found.systems.map((one) => (
          <li key={one.connection_id ?? one.step_type}>
            <Chip tone={one.errors > 0 ? "wait" : "idle"}>{format.number(one.errors)}</Chip>
            <div>
              {one.connection_id ? (
                <Link to="/connections" search={{ connection: one.connection_id }}>
                  {one.name ?? t("systems.removed")}
                </Link>
              ) : (
                <b>{t("systems.without", { type: called(one.step_type) })}</b>
              )}
              <small>{t("systems.before", { count: one.before, number: format.number(one.before) })}</small>
              {one.connection_id && one.name !== null && one.errors > 0 && (
                <small className={css.ways}>
                  <Link to="/runs" search={failedOf(one.connection_id, span)}>
                    {t("systems.runs")}
                  </Link>
                </small>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Versions that went live within the range: the marks in the charts, as a list. */
export function Published({ found }: { found: MonitorShape }) {
  const { t } = useTranslation("monitor");
  return (
    <section className={css.list} aria-labelledby="published">
      <h2 id="published" className={sectionTitleClass}>
        {t("published.title")}
      </h2>
      {found.markers.length === 0 && <p className={css.chartEmpty}>{t("published.none")}</p>}
      <ul className={css.rows}>
        {found.markers.slice(0, 8).map((one) => (
          <li key={`${one.workflow_id}${one.number}`}>
            <Chip tone="accent">v{one.number}</Chip>
            <div>
              <Link to="/workflows/$id/versions" params={{ id: one.workflow_id }} search={{ version: one.number }}>
                {one.name}
              </Link>
              <small>
                <Time at={one.at} />
                {one.by ? ` · ${one.by}` : ""}
                {one.note ? ` · ${one.note}` : ""}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
