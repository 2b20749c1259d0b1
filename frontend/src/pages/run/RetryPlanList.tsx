import { ChevronDown, ChevronRight, CircleAlert, CircleCheck, CircleDashed, CircleHelp, CopyPlus, type LucideIcon, Pencil, RotateCcw, Undo2 } from "lucide-react";
import { type Dispatch, type SetStateAction, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { PlanStep, RetryPlan, Run, StepSpec } from "../../api/types";
import { formatExact } from "../../graph/exact";
import { Button, CheckboxField } from "../../ui";
import fields from "../../ui/fields.module.css";
import { Asked } from "./AskedNow";
import { StepChanges } from "./PlanChanges";
import { PlanItems } from "./PlanItems";
import { type Answers, type FateNow, fateOf, isEditable, type Missing, planLines, settingsOf, whyOf, wouldBeTwice } from "./retry";
import css from "./retry.module.css";
import { RetryDoubt } from "./RetryDoubt";
import { RetryEdit } from "./RetryEdit";

const ICONS: Record<FateNow, { icon: LucideIcon; tone: string }> = {
  kept: { icon: CircleCheck, tone: "ok" },
  again: { icon: RotateCcw, tone: "run" },
  repeats: { icon: CopyPlus, tone: "wait" },
  asks: { icon: CircleHelp, tone: "wait" },
  next: { icon: CircleDashed, tone: "idle" },
  happened: { icon: CircleCheck, tone: "ok" },
  sent_again: { icon: RotateCcw, tone: "run" },
};

interface Common {
  run: Run;
  plan: RetryPlan;
  /** What the plan was asked for. */
  start: readonly string[];
  version: number | null;
  specs: Readonly<Record<string, StepSpec>>;
  answers: Answers;
  onAnswers: Dispatch<SetStateAction<Answers>>;
  missing: ReadonlyMap<string, Missing>;
  refused: Readonly<Record<string, string[]>>;
  /** The step whose settings are open, and get the focus, from the beginning. */
  focus: string | null;
}

/** What becomes of each step, in the order of the workflow. */
export function RetryPlanList(common: Common) {
  const { t } = useTranslation("runs");
  return (
    <ol className={css.plan} aria-label={t("retry.plan")}>
      {planLines(common.plan.steps).map((line) =>
        line.kind === "step" ? (
          <Row key={line.step.node} step={line.step} {...common} />
        ) : (
          <Fold key={`${line.fate}-${line.steps[0]?.node}`} fate={line.fate} steps={line.steps} {...common} />
        ),
      )}
    </ol>
  );
}

function Fold({ fate, steps, ...common }: Common & { fate: "kept" | "next"; steps: readonly PlanStep[] }) {
  const { t } = useTranslation("runs");
  const refused = steps.some((step) => common.refused[step.node]);
  const [opened, setOpened] = useState(false);
  const open = opened || refused;
  const { icon: Icon, tone } = ICONS[fate];
  const Arrow = open ? ChevronDown : ChevronRight;
  return (
    <>
      <li>
        <button type="button" className={css.fold} aria-expanded={open} onClick={() => setOpened(!open)}>
          <Icon size={17} data-tone={tone} aria-hidden />
          <b>{t(fate === "kept" ? "retry.keptSteps" : "retry.nextSteps", { count: steps.length })}</b>
          <Arrow size={16} aria-hidden />
        </button>
      </li>
      {open && steps.map((step) => <Row key={step.node} step={step} {...common} />)}
    </>
  );
}

function Row({ step, run, plan, start, version, specs, answers, onAnswers, missing, refused, focus }: Common & { step: PlanStep }) {
  const { t } = useTranslation("runs");
  const id = useId();
  const { node, name } = step;
  const fate = fateOf(step, answers);
  // What a container's items change outside is theirs to say.
  const why = step.items && step.why === "harmless" ? null : whyOf(fate, step.why);
  const { icon: Icon, tone } = ICONS[fate];
  const row = useRef<HTMLLIElement>(null);
  // With other settings a step reaches other places: that is for who may draw it.
  const mayEdit = useCan("builder");
  const editable = mayEdit && isEditable(step, answers);
  const [editing, setEditing] = useState(focus === node && step.fate !== "asks");
  useEffect(() => {
    if (focus !== node) return;
    const field = row.current?.querySelector<HTMLElement>("input, textarea, select");
    // The dialog gives out the focus when it has appeared, which may be before this plan was there, or after.
    field?.setAttribute("data-autofocus", "");
    field?.focus({ preventScroll: true });
    row.current?.scrollIntoView({ block: "nearest" });
  }, [focus, node]);
  const sentences = [...(refused[node] ?? [])];
  const lacks = missing.get(node);
  if (lacks) sentences.push(t(`retry.missing.${lacks}`));
  const edited = settingsOf(step.input, answers.edits[node]);
  const isEdited = edited.changed.length > 0 && edited.bad.length === 0;
  const forget = () => {
    const { [node]: _edits, ...edits } = answers.edits;
    onAnswers({ ...answers, edits });
    setEditing(false);
  };
  return (
    <li ref={row} className={css.step} data-plan-step={node} data-fate={fate} data-wrong={sentences.length > 0}>
      <div className={css.head}>
        <Icon size={17} data-tone={tone} aria-hidden />
        <div>
          <b id={id}>{name}</b>
          <small>
            {t(fate === "repeats" && step.why === "called" ? "retry.fate.called" : `retry.fate.${fate}`)}
            {why && ` — ${t(`retry.why.${why}`)}`}
          </small>
          <StepChanges changes={plan.changes} version={plan.version} step={step} spec={specs[step.type]} />
        </div>
        {editable &&
          (editing ? (
            <Button size="sm" variant="quiet" aria-describedby={id} icon={<Undo2 size={14} aria-hidden />} onClick={forget}>
              {t("retry.keep")}
            </Button>
          ) : (
            <Button size="sm" aria-describedby={id} icon={<Pencil size={14} aria-hidden />} onClick={() => setEditing(true)}>
              {t("retry.edit")}
            </Button>
          ))}
      </div>
      {sentences.map((sentence) => (
        <p key={sentence} className={`${fields.fieldError} ${css.more}`} role="alert">
          <CircleAlert size={13} aria-hidden />
          <span>{sentence}</span>
        </p>
      ))}
      {step.asks !== null && (
        <div className={css.more}>
          <Asked
            about={{ run: run.id, node, start, version }}
            system={step.asks}
            settings={isEdited ? edited.settings : null}
            onSaid={(said) => onAnswers((before) => ({ ...before, found: { ...before.found, [node]: said.found } }))}
          >
            {(said) =>
              said.takes &&
              fate !== "happened" && (
                <Button
                  size="sm"
                  variant="primary"
                  onClick={() =>
                    onAnswers((before) => ({
                      ...before,
                      decisions: { ...before.decisions, [node]: { decision: "happened", result: formatExact(said.output, 2) } },
                    }))
                  }
                >
                  {t("ask.take")}
                </Button>
              )
            }
          </Asked>
          {wouldBeTwice(step, answers) && (
            <div data-answer>
              <CheckboxField
                label={t("ask.twice")}
                checked={answers.twice.includes(node)}
                onChange={(may) =>
                  onAnswers((before) => ({
                    ...before,
                    twice: may ? [...before.twice, node] : before.twice.filter((one) => one !== node),
                  }))
                }
              />
            </div>
          )}
        </div>
      )}
      {step.fate === "asks" && (
        <div className={css.more} data-answer>
          <RetryDoubt
            run={run}
            node={node}
            spec={specs[step.type]}
            said={answers.decisions[node]}
            onChange={(said) => onAnswers({ ...answers, decisions: { ...answers.decisions, [node]: said } })}
          />
        </div>
      )}
      {fate === "repeats" && (
        <div className={css.more} data-answer role="group" aria-labelledby={id}>
          <CheckboxField
            label={t(step.why === "called" ? "retry.mayCall" : "retry.mayRepeat")}
            checked={answers.repeats.includes(node)}
            onChange={(may) =>
              onAnswers({
                ...answers,
                repeats: may ? [...answers.repeats, node] : answers.repeats.filter((one) => one !== node),
              })
            }
          />
        </div>
      )}
      {step.items && (
        <div className={css.more}>
          <PlanItems
            run={run.id}
            node={node}
            type={step.type}
            plan={plan.id}
            start={start}
            version={version}
            items={step.items}
            may={answers.repeats.includes(node)}
            onMay={(may) => onAnswers({ ...answers, repeats: may ? [...answers.repeats, node] : answers.repeats.filter((one) => one !== node) })}
          />
        </div>
      )}
      {editable && editing && (
        <RetryEdit
          step={step}
          spec={specs[step.type]}
          texts={answers.edits[node] ?? {}}
          onChange={(texts) => onAnswers({ ...answers, edits: { ...answers.edits, [node]: texts } })}
        />
      )}
    </li>
  );
}
