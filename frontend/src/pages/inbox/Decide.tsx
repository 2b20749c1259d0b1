import { Braces, Check, CornerDownRight, type LucideIcon, RotateCcw, Send, SkipForward, X } from "lucide-react";
import { lazy, type Ref, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useUser } from "../../api/session";
import type { TaskAnswer, TaskChoice, TaskDetail } from "../../api/types";
import { questionsOf } from "../../inspector/inputFields";
import { Button, type ButtonVariant, ErrorCard, SkeletonRows, TextAreaField } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { drafts, lastDecision, useRefused } from "./decisions";
import css from "./inbox.module.css";
import { answerOf, type Draft, firstDraft, goesOn, refusals, wrongs, type Wrongs } from "./task";
import { TaskView } from "./TaskView";

// Most questions have neither.
const InputForm = lazy(async () => ({ default: (await import("../../inspector/InputForm")).InputForm }));
const ValueEditor = lazy(() => import("./ValueEditor"));

const LONGEST = 2000;

const LOOKS: Record<string, { icon: LucideIcon; variant: ButtonVariant }> = {
  approved: { icon: Check, variant: "primary" },
  rejected: { icon: X, variant: "default" },
  out: { icon: Send, variant: "primary" },
  retry: { icon: RotateCcw, variant: "primary" },
  value: { icon: Braces, variant: "default" },
  // Of a step in doubt nothing is suggested.
  happened: { icon: Check, variant: "default" },
  send_again: { icon: Send, variant: "default" },
  skip: { icon: SkipForward, variant: "default" },
  give_up: { icon: X, variant: "danger" },
};

/** They are asked about once more. */
const SURE = new Map([
  ["give_up", "sure"],
  ["send_again", "doubt.sure"],
  ["skip", "skip.sure"],
] as const) as ReadonlyMap<string, "sure" | "doubt.sure" | "skip.sure">;

/** A second click of a double one would answer the question that has come to where the first one was. */
const SETTLES_MS = 350;

function useReady(): boolean {
  const [ready, setReady] = useState(() => Date.now() - lastDecision.at > SETTLES_MS);
  useEffect(() => {
    if (ready) return;
    const timer = setTimeout(() => setReady(true), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [ready]);
  return ready;
}

interface DecideProps {
  task: TaskDetail;
  head: Ref<HTMLHeadingElement>;
  onDecided: (answer: TaskAnswer) => Promise<void>;
}

/** A question that I may answer: what there is to fill in, and a button for each answer. */
export function Decide({ task, head, onDecided }: DecideProps) {
  const { t, i18n } = useTranslation("inbox");
  const email = useUser().email;
  const refused = useRefused((store) => store.refused[task.id]);
  const [draft, setDraft] = useState<Draft>(() => drafts.get(task.id) ?? firstDraft(task));
  const [wrong, setWrong] = useState<Wrongs>({});
  const [told, setTold] = useState(0);
  const [sending, setSending] = useState("");
  /** An answer that takes a second step: a value to give, or a word to be sure. */
  const [second, setSecond] = useState<TaskChoice | null>(() => {
    const before = drafts.get(task.id);
    return (before?.value && task.choices.find((choice) => goesOn(task, choice))) || null;
  });
  const body = useRef<HTMLDivElement>(null);
  const foot = useRef<HTMLDivElement>(null);
  const server = refusals(refused);
  const ready = useReady();

  const label = (choice: TaskChoice) => {
    const known = i18n.exists(`choice.${choice.id}`, { ns: "inbox" });
    // A step may call its answers as it likes, and then they are shown so; those that have their usual names are translated.
    return known && !choice.own ? t(`choice.${choice.id}`) : choice.label;
  };
  const change = (changes: Partial<Draft>) => {
    const next = { ...draft, ...changes };
    drafts.set(task.id, next);
    setDraft(next);
  };
  const errorOf = (field: string): string | undefined => {
    const found = wrong[field];
    if (found) return t(`wrong.${found.code}`, found.params ?? {});
    return server[field];
  };
  const choose = (choice: TaskChoice) => {
    if (second?.id !== choice.id && (goesOn(task, choice) || SURE.has(choice.id))) {
      setSecond(choice);
      return;
    }
    const found = wrongs(task, choice, draft);
    setWrong(found);
    if (Object.keys(found).length > 0) setTold(told + 1);
    else {
      setSending(choice.id);
      void onDecided(answerOf(task, choice, draft)).finally(() => setSending(""));
    }
  };
  useEffect(() => {
    if (told > 0) body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [told]);
  const asked = second?.id;
  const before = useRef(asked);
  useEffect(() => {
    if (before.current === asked) return;
    before.current = asked;
    const comment = asked === "skip" ? body.current?.querySelector<HTMLElement>("[data-comment]") : null;
    comment?.focus();
    // What is asked once more has made the foot higher.
    comment?.scrollIntoView({ block: "center" });
    if (comment) return;
    // What there is to fill in takes the focus by itself; else it goes to the buttons that changed.
    if (asked !== "value" && asked !== "happened") foot.current?.querySelector("button")?.focus();
  }, [asked]);

  const press = (id: string, kind = "approval") => {
    const choice = task.kind === kind && ready && !sending ? task.choices.find((one) => one.id === id) : undefined;
    if (choice) choose(choice);
  };
  useShortcut("a", () => press("approved"), true);
  useShortcut("r", () => press("rejected"), true);
  // Asks for the reason first, so that a slip of the finger skips nothing.
  useShortcut("s", () => press("skip", "exception"), true);
  useShortcut("c", () => body.current?.querySelector<HTMLElement>("[data-comment]")?.focus());

  const fields = questionsOf(task.fields);
  const answerErrors = Object.fromEntries(
    fields.flatMap((field) => {
      const text = errorOf(`answers.${field.name}`);
      return text ? [[field.name, text]] : [];
    }),
  );
  const needing = task.choices.filter((choice) => choice.comment);
  const always = needing.length > 0 && needing.length === task.choices.length;
  const aside = always
    ? t("comment.required")
    : needing.length > 0
      ? t("comment.neededFor", { names: needing.map((choice) => label(choice).replace(/\s*…$/, "")).join(", ") })
      : t("comment.optional");
  const sure = second && SURE.get(second.id);
  const general = refused !== undefined && Object.keys(server).every((field) => field === "outcome" || field === "answers");

  const buttons = second ? (
    <>
      <Button onClick={() => setSecond(null)}>{t("back")}</Button>
      <Button
        variant={second.id === "give_up" ? "dangerFilled" : "primary"}
        icon={second.id === "give_up" ? <X size={17} aria-hidden /> : second.id === "skip" ? <SkipForward size={17} aria-hidden /> : <CornerDownRight size={17} aria-hidden />}
        busy={sending === second.id}
        onClick={() => choose(second)}
      >
        {t(`confirm.${second.id}`)}
      </Button>
    </>
  ) : (
    // The one that is mostly wanted stands where the thumb is: last.
    [...task.choices].reverse().map((choice) => {
      const { icon: Icon, variant } = LOOKS[choice.id] ?? { icon: CornerDownRight, variant: "default" as const };
      return (
        <Button
          key={choice.id}
          variant={variant}
          icon={<Icon size={17} aria-hidden />}
          busy={sending === choice.id}
          disabled={!ready || sending !== ""}
          onClick={() => choose(choice)}
          data-choice={choice.id}
        >
          {label(choice)}
        </Button>
      );
    })
  );

  return (
    <TaskView
      task={task}
      head={head}
      foot={
        <>
          {second && sure && (
            <p className={css.sure} id="inbox-sure">
              {t(sure)}
            </p>
          )}
          <div className={css.buttons} data-count={second ? 2 : task.choices.length} ref={foot}>
            {buttons}
          </div>
        </>
      }
    >
      <div className={css.form} ref={body}>
        {general && <ErrorCard title={t("notTaken")} error={refused} />}
        {fields.length > 0 && (
          <Suspense fallback={<SkeletonRows rows={fields.length} height={38} label={t("loadingOne")} />}>
            <InputForm
              fields={fields}
              value={draft.answers}
              errors={answerErrors}
              onChange={(answers) => {
                change({ answers });
                setWrong({});
              }}
            />
          </Suspense>
        )}
        {(asked === "value" || asked === "happened") && (
          <Suspense fallback={<SkeletonRows rows={3} label={t("loadingOne")} />}>
            <ValueEditor
              step={task.step}
              happened={asked === "happened"}
              error={server["output"]}
              value={draft.value}
              onChange={(value) => change({ value })}
            />
          </Suspense>
        )}
        <TextAreaField
          label={t("comment.label")}
          aside={aside}
          error={errorOf("comment")}
          data-comment
          aria-required={always || undefined}
          maxLength={LONGEST}
          rows={3}
          value={draft.comment}
          onChange={(event) => {
            change({ comment: event.currentTarget.value });
            if (wrong["comment"]) setWrong({});
          }}
        />
        <p className={css.as}>{t("as", { email })}</p>
      </div>
    </TaskView>
  );
}
