import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { indexOf, type GraphNode, type Json, operations, type OnFailure, type RetryPolicy, type RetryStrategy, type StepSettings, type StepSpec, undoneStepOf } from "../graph";
import { Button, cx, useFormatter } from "../ui";
import { useEditor, useEnvironment } from "./EditorContext";
import css from "./inspector.module.css";
import { useNumberWords } from "./numberWords";
import { readNumber } from "./readNumber";
import rules from "./rules.module.css";
import { DEFAULT_RETRY, totalWait, waits } from "./retry";
import { JsonField } from "./widgets/JsonField";

/** What happens if the step fails: one sentence, and what then. */
export function FailsTab({ node, spec, readOnly }: { node: GraphNode; spec: StepSpec; readOnly: boolean }) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  const format = useFormatter();
  const retry = { ...DEFAULT_RETRY, ...node.settings.retry };
  const linked = useEditor((state) => {
    const edge = (indexOf(state.document).outgoing.get(node.id) ?? []).find((other) => other.sourceHandle === "error");
    return edge ? state.document.nodes.find((other) => other.id === edge.target)?.name : undefined;
  });
  const undoes = useEditor((state) => undoneStepOf(state.document, node.id) !== undefined);
  const set = (changes: { [K in keyof StepSettings]?: StepSettings[K] | undefined }, group: string): void => {
    store.edit({ key: "history.settings", params: { name: node.name } }, (draft) => operations.setSettings(draft, node.id, changes), { group: `settings:${node.id}:${group}` });
  };
  const setRetry = (changes: Partial<RetryPolicy>): void => set({ retry: { ...node.settings.retry, ...changes } }, "retry");
  const choice: OnFailure = node.settings.on_failure ?? "stop";
  const choose = (next: OnFailure): void => {
    store.edit(
      { key: "history.settings", params: { name: node.name } },
      (draft) => {
        operations.setSettings(draft, node.id, { on_failure: next === "stop" ? undefined : next, fallback: next === "continue" ? (node.settings.fallback ?? {}) : undefined });
        // The red path goes with the choice.
        if (next !== "error_port") {
          const edges = new Set(draft.edges.filter((edge) => edge.source === node.id && edge.sourceHandle === "error").map((edge) => edge.id));
          draft.edges = draft.edges.filter((edge) => !edges.has(edge.id));
        }
      },
    );
  };
  const list = waits(retry);
  return (
    <div className={css.form}>
      <section className={css.fieldGroup}>
        <h3>{t("fails.title")}</h3>
        <p className={css.sentence}>
          {t("fails.try")}{" "}
          <NumberInline label={t("fails.attempts")} value={retry.attempts} min={1} max={20} whole disabled={readOnly} onChange={(attempts) => setRetry({ attempts })} />{" "}
          {t("fails.times", { count: retry.attempts })}
          {retry.attempts > 1 && (
            <>
              {", "}
              {t("fails.waiting")}{" "}
              <NumberInline label={t("fails.first")} value={retry.first_seconds} min={0} max={86_400} disabled={readOnly} onChange={(first) => setRetry({ first_seconds: first })} />{" "}
              {t("fails.seconds")}
              {", "}
              <select className={css.inlineSelect} aria-label={t("fails.strategy")} value={retry.strategy} disabled={readOnly} onChange={(event) => setRetry({ strategy: event.currentTarget.value as RetryStrategy })}>
                <option value="exponential">{t("fails.exponential")}</option>
                <option value="linear">{t("fails.linear")}</option>
                <option value="fixed">{t("fails.fixed")}</option>
              </select>
            </>
          )}
          .
        </p>
        {retry.attempts > 1 && (
          <p className={css.hint}>
            {t("fails.waits", { list: list.map((seconds) => format.duration(seconds * 1000)).join(", ") })} {t("fails.which")}
          </p>
        )}
        <details className={rules.moreOptions}>
          <summary>{t("form.more", { count: 4 })}</summary>
          <div className={css.gridTwo}>
            <Labelled label={t("fails.factor")}>
              <NumberInline label={t("fails.factor")} value={retry.factor} min={1} max={10} disabled={readOnly || retry.strategy !== "exponential"} onChange={(factor) => setRetry({ factor })} />
            </Labelled>
            <Labelled label={t("fails.cap")}>
              <NumberInline label={t("fails.cap")} value={retry.cap_seconds} min={1} max={86_400} disabled={readOnly} onChange={(cap) => setRetry({ cap_seconds: cap })} />
            </Labelled>
            <Labelled label={t("fails.total")}>
              <NumberInline label={t("fails.total")} value={retry.total_seconds} min={1} max={604_800} disabled={readOnly} onChange={(total) => setRetry({ total_seconds: total })} />
            </Labelled>
            <Labelled label={t("fails.jitter")}>
              <NumberInline label={t("fails.jitter")} value={Math.round(retry.jitter * 100)} min={0} max={100} whole disabled={readOnly} onChange={(percent) => setRetry({ jitter: percent / 100 })} />
            </Labelled>
          </div>
        </details>
        <p className={css.strip}>{t("fails.givesUp", { time: format.duration(totalWait(retry, node.settings.timeout_seconds ?? 30) * 1000) })}</p>
      </section>
      {undoes ? (
        <section className={css.fieldGroup}>
          <p className={css.strip}>{t("fails.undoes")}</p>
          {choice !== "stop" && (
            <p className={css.hint}>
              {t("fails.unused", { choice: t(`fails.${choice}.title`) })}{" "}
              {!readOnly && (
                <Button variant="link" onClick={() => choose("stop")}>
                  {t("fails.drop")}
                </Button>
              )}
            </p>
          )}
        </section>
      ) : (
        <fieldset className={css.choices} disabled={readOnly}>
          <legend>{t("fails.still")}</legend>
          {(["stop", "continue", "error_port", "person", "undo"] as const).map((name) => (
            <label key={name} className={cx(css.radio, choice === name && css.on)}>
              <input type="radio" name={`fails-${node.id}`} checked={choice === name} onChange={() => choose(name)} />
              <span>
                {t(`fails.${name}.title`)}
                <small>{name === "error_port" && linked ? t("fails.error_port.to", { name: linked }) : t(`fails.${name}.text`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {choice === "continue" && !undoes && (
        <div className={css.row}>
          <span className={css.label}>{t("fails.fallback")}</span>
          <JsonField
            id={`fallback-${node.id}`}
            kind="json"
            field={{ name: "fallback", title: t("fails.fallback"), schema: {}, hints: {}, required: false, nullable: true }}
            node={node.id}
            value={node.settings.fallback}
            path="fallback"
            config={{}}
            onChange={(value: Json | undefined) => set({ fallback: value ?? null }, "fallback")}
            invalid={false}
            describedBy=""
            readOnly={readOnly}
          />
          <span className={css.hint}>{t("fails.fallbackHint", { type: spec.title })}</span>
        </div>
      )}
      <section className={css.fieldGroup}>
        <h3>{t("fails.timeout")}</h3>
        <p className={css.sentence}>
          {t("fails.stopAfter")}{" "}
          <NumberInline label={t("fails.timeout")} value={node.settings.timeout_seconds ?? 30} min={1} max={3600} disabled={readOnly} onChange={(seconds) => set({ timeout_seconds: seconds === 30 ? undefined : seconds }, "timeout")} /> {t("fails.perTry")}
        </p>
      </section>
    </div>
  );
}

function Labelled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <span className={css.label}>{label}</span>
      {children}
    </div>
  );
}

interface NumberInlineProps {
  label: string;
  value: number;
  min: number;
  max: number;
  whole?: boolean;
  disabled?: boolean;
  onChange(value: number): void;
}

/** A number within a sentence. Any text can be typed; it counts once it fits, and says so as long as it does not. */
function NumberInline({ label, value, min, max, whole = false, disabled, onChange }: NumberInlineProps) {
  const { t } = useTranslation("fields");
  const words = useNumberWords();
  const format = useFormatter();
  const id = useId();
  const [text, setText] = useState<string | null>(null);
  const read = readNumber(text ?? String(value), whole);
  const number = read.kind === "number" ? Number(read.value) : null;
  const fits = number !== null && number >= min && number <= max;
  const wrong = text === null || fits ? undefined : (words(read) ?? t("number.range", { min: format.number(min), max: format.number(max), value: format.number(value) }));
  return (
    <>
      <input
        inputMode={whole ? "numeric" : "decimal"}
        className={css.inlineNumber}
        aria-label={label}
        aria-invalid={wrong !== undefined || undefined}
        aria-describedby={wrong ? id : undefined}
        value={text ?? String(value)}
        disabled={disabled}
        onChange={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          const typed = readNumber(next, whole);
          if (typed.kind !== "number") return;
          const found = Number(typed.value);
          if (found >= min && found <= max) onChange(found);
        }}
        onBlur={() => {
          if (fits || read.kind === "empty") setText(null);
        }}
      />
      {wrong && (
        <span className={css.error} id={id} role="alert">
          {wrong}
        </span>
      )}
    </>
  );
}
