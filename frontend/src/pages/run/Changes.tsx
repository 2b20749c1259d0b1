import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { ComparedStep, Comparison, FieldDifference } from "../../api/lookingBack";
import { formatExact } from "../../graph/exact";
import { portLabel } from "../../graph/ports";
import type { GraphNode, StepSpec } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { stepStatusKind, StatusIcon, useFormatter } from "../../ui";
import css from "./changes.module.css";
import { labelOf } from "./DataView";
import { dotted } from "./marks";

/** What of a value fits into a line. */
function lineOf(value: unknown): string {
  const plain = dotted(value);
  return typeof plain === "string" ? plain : formatExact(plain);
}

/** The names that lead to a value: `Lines › 3 › Booking date`. */
function pathWords(path: FieldDifference["path"], whole: string): string {
  return path.map((part) => (typeof part === "number" ? String(part + 1) : labelOf(part))).join(" › ") || whole;
}

/** Values that two runs do not share, one beneath the other. */
export function Fields({ fields, here, there, label }: { fields: readonly FieldDifference[]; here: string; there: string; label: string }) {
  const { t } = useTranslation("lookback");
  return (
    <table className={css.fields} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{t("field")}</th>
          <th scope="col">{here}</th>
          <th scope="col">{there}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.path.join("\u0000")}>
            <th scope="row" title={field.path.join(".")}>
              {pathWords(field.path, t("wholeValue"))}
            </th>
            <td>{field.change === "removed" ? <span className={css.none}>{t("missing")}</span> : lineOf(field.here)}</td>
            <td>{field.change === "added" ? <span className={css.none}>{t("missing")}</span> : lineOf(field.there)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface StepWords {
  nodes: ReadonlyMap<string, GraphNode>;
  specs: Record<string, StepSpec>;
}

/** How a step of one run stood, in a word or two: the way it went on, else its status. */
export function useStepWord({ nodes, specs }: StepWords): (step: ComparedStep, side: "here" | "there") => string {
  const { t } = useTranslation(["lookback", "common"]);
  return (step, side) => {
    const found = step[side];
    if (!found) return t("notReached");
    const node = nodes.get(step.node);
    const status = t(`common:status.${stepStatusKind(found)}`);
    if (!node || step.differs.includes("status")) return found.error?.title ? `${status}: ${failureTitle(found.error)}` : status;
    const way = step.differs.includes("way") ? found.ports.map((port) => portLabel(specs[node.type], node, port)).filter(Boolean).join(", ") : "";
    return way || (found.error && failureTitle(found.error)) || status;
  };
}

/** Where the runs first went apart, in one sentence. */
export function FirstDifference({ found, words, a, b, onSelect }: { found: Comparison; words: StepWords; a: string; b: string; onSelect: (node: string) => void }) {
  const { t } = useTranslation("lookback");
  const word = useStepWord(words);
  const step = found.steps.find((one) => one.node === found.first);
  if (!step) return <p className={css.first}>{t("noDifference")}</p>;
  const told = step.differs.some((one) => one === "status" || one === "way" || one === "error");
  return (
    <p className={css.first} data-testid="first-difference">
      {t("first")}{" "}
      <button type="button" onClick={() => onSelect(step.node)}>
        {step.name}
      </button>{" "}
      {told ? `${a}: ${word(step, "here")}, ${b}: ${word(step, "there")}` : step.differs.map((one) => t(`differs.${one}`)).join(", ")}
    </p>
  );
}

function Took({ step }: { step: ComparedStep }) {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  const ours = step.here?.duration_ms ?? null;
  const theirs = step.there?.duration_ms ?? null;
  if (ours === null || theirs === null) return null;
  const times = Number(step.times ?? 1);
  const many = format.number(times >= 1 ? times : 1 / Math.max(times, 0.001), { maximumFractionDigits: 1 });
  return (
    <small className="tn">
      {format.duration(ours)} · {format.duration(theirs)} ({t(times >= 1 ? "slower" : "quicker", { times: many })})
    </small>
  );
}

/** The steps that differ, in the order of the workflow; a click chooses one. */
export function DifferingSteps({ found, words, a, b, selected, onSelect }: { found: Comparison; words: StepWords; a: string; b: string; selected?: string | null; onSelect: (node: string) => void }) {
  const { t } = useTranslation("lookback");
  const word = useStepWord(words);
  const steps = found.steps.filter((step) => step.differs.length > 0);
  if (steps.length === 0) return <p className={css.none}>{t("stepsSame")}</p>;
  return (
    <ol className={css.steps} aria-label={t("stepsLabel")}>
      {steps.map((step) => (
        <li key={step.node}>
          <button type="button" onClick={() => onSelect(step.node)} aria-current={step.node === selected}>
            <b>{step.name}</b>
            <span className={css.pair}>
              <StatusIcon kind={stepStatusKind(step.here ?? undefined)} size={14} decorative />
              {a}: {word(step, "here")}
              <StatusIcon kind={stepStatusKind(step.there ?? undefined)} size={14} decorative />
              {b}: {word(step, "there")}
            </span>
            <span className={css.chips}>
              {step.differs.map((one) => (
                <i key={one}>{t(`differs.${one}`)}</i>
              ))}
              {step.differs.includes("duration") && <Took step={step} />}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** What stood around two runs and was not the same: version, connections, what they were started with. */
export function Surroundings({ found, here, there }: { found: Comparison; here: string; there: string }) {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  const { version, connections, start } = found;
  return (
    <>
      <section>
        <h3>{t("version.title")}</h3>
        {version === null ? (
          <p className={css.none}>{t("version.same", { version: found.here.version })}</p>
        ) : (
          <>
            <p>
              {t("version.differs", { here: version.here, there: version.there })}{" "}
              {version.here > 0 && (
                <Link to="/workflows/$id/versions" params={{ id: found.here.workflow.id }}>
                  {t("version.link")}
                </Link>
              )}
            </p>
            <ul>
              {version.added.map((name) => (
                <li key={`added ${name}`}>{t("version.added", { name })}</li>
              ))}
              {version.removed.map((name) => (
                <li key={`removed ${name}`}>{t("version.removed", { name })}</li>
              ))}
              {version.changed.map(({ step, fields }) => (
                <li key={`changed ${step}`}>{t("version.changed", { name: step, fields: fields.map(labelOf).join(", ") })}</li>
              ))}
              {version.links > 0 && <li>{t("version.links", { count: version.links })}</li>}
            </ul>
          </>
        )}
      </section>
      <section>
        <h3>{t("connection.title")}</h3>
        {connections.length === 0 ? (
          <p className={css.none}>{t("connection.same")}</p>
        ) : (
          <ul>
            {connections.map((one) => (
              <li key={one.id}>
                {t(`connection.${one.change}`, { name: one.name || one.id.slice(0, 8), steps: one.steps.join(", "), time: one.at ? format.dayClock(one.at) : "" })}
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h3>{t("start.title")}</h3>
        {start.length === 0 ? <p className={css.none}>{t("start.same")}</p> : <Fields fields={start} here={here} there={there} label={t("start.title")} />}
      </section>
    </>
  );
}
