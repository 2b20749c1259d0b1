import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { fetchSystemChecks } from "../../api/queries";
import { sessionQuery, setUp, useTakeSession, useSession } from "../../api/session";
import { type Language, setLanguage } from "../../i18n";
import { Button, buttonClass, ErrorCard, Note, PasswordField, SelectField, SkeletonRows, TextField } from "../../ui";
import { AuthFrame } from "./AuthFrame";
import { Checks } from "./Checks";
import {
  currencyOptions,
  formatExample,
  guessedCurrency,
  guessedLanguage,
  guessedTimeZone,
  languageOptions,
  timeZoneOptions,
} from "./locale";
import { passwordStrength, SHORTEST_PASSWORD } from "./password";
import { PasswordStrength } from "./PasswordStrength";
import { useLinkToken } from "./linkToken";
import css from "./setup.module.css";
import { StartCards } from "./StartCards";

const STEPS = ["you", "workspace", "check", "start"] as const;
type Step = (typeof STEPS)[number];

interface Answers {
  name: string;
  email: string;
  password: string;
  workspaceName: string;
  language: string;
  timeZone: string;
  currency: string;
}

function Progress({ step }: { step: Step }) {
  const { t } = useTranslation("setup");
  const now = STEPS.indexOf(step);
  return (
    <ol className={css.progress} aria-label={t("progress", { step: now + 1, count: STEPS.length })}>
      {STEPS.map((one, index) => (
        <li
          key={one}
          data-state={index < now ? "done" : index === now ? "now" : "later"}
          aria-current={index === now ? "step" : undefined}
        >
          <span>{t(`steps.${one}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function YouStep(props: { answers: Answers; change: (part: Partial<Answers>) => void; onDone: () => void }) {
  const { t } = useTranslation(["setup", "common"]);
  const { answers, change } = props;
  const [tried, setTried] = useState(false);
  const problems = {
    name: answers.name.trim() ? undefined : t("common:validation.required"),
    email: /^\S+@\S+\.\S+$/.test(answers.email.trim()) ? undefined : t("common:validation.email"),
    password:
      passwordStrength(answers.password, [answers.name, answers.email.split("@")[0] ?? ""]) === "short"
        ? t("common:validation.tooShort", { count: SHORTEST_PASSWORD })
        : undefined,
  };
  const shown: Partial<typeof problems> = tried ? problems : {};
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.values(problems).every((problem) => problem === undefined)) {
          props.onDone();
          return;
        }
        const first = Object.entries(problems).find(([, problem]) => problem)?.[0];
        event.currentTarget.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
      }}
    >
      <TextField
        label={t("you.name")}
        name="name"
        autoComplete="name"
        autoFocus
        value={answers.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={shown.name}
      />
      <TextField
        label={t("you.email")}
        name="email"
        type="email"
        autoComplete="username"
        value={answers.email}
        onChange={(event) => change({ email: event.currentTarget.value })}
        error={shown.email}
      />
      <PasswordField
        label={t("you.password")}
        name="password"
        autoComplete="new-password"
        value={answers.password}
        onChange={(event) => change({ password: event.currentTarget.value })}
        error={shown.password}
        hint={t("you.passwordHint", { count: SHORTEST_PASSWORD })}
      />
      <PasswordStrength password={answers.password} about={[answers.name, answers.email.split("@")[0] ?? ""]} />
      <Button type="submit" variant="primary" size="lg" wide>
        {t("common:action.continue")}
      </Button>
    </form>
  );
}

function WorkspaceStep(props: {
  answers: Answers;
  change: (part: Partial<Answers>) => void;
  onBack: () => void;
  onDone: () => void;
  busy: boolean;
  error: unknown;
}) {
  const { t } = useTranslation(["setup", "common"]);
  const { answers, change } = props;
  const [tried, setTried] = useState(false);
  const missing = !answers.workspaceName.trim();
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!missing) props.onDone();
      }}
    >
      {props.error !== null && <ErrorCard title={t("workspace.failed")} error={props.error} />}
      <TextField
        label={t("workspace.name")}
        name="workspace"
        autoComplete="organization"
        autoFocus
        placeholder={t("workspace.namePlaceholder")}
        value={answers.workspaceName}
        onChange={(event) => change({ workspaceName: event.currentTarget.value })}
        error={tried && missing ? t("common:validation.required") : undefined}
      />
      <div className={css.two}>
        <SelectField
          label={t("workspace.language")}
          value={answers.language}
          options={languageOptions()}
          onChange={(language) => {
            change({ language });
            void setLanguage(language as Language);
          }}
        />
        <SelectField
          label={t("workspace.currency")}
          value={answers.currency}
          options={currencyOptions(answers.language, answers.currency)}
          onChange={(currency) => change({ currency })}
        />
      </div>
      <SelectField
        label={t("workspace.timeZone")}
        value={answers.timeZone}
        options={timeZoneOptions(answers.timeZone)}
        onChange={(timeZone) => change({ timeZone })}
      />
      <div className={css.example}>
        <small>{t("workspace.example")}</small>
        <b>{formatExample(answers.language, answers.timeZone, answers.currency, new Date())}</b>
      </div>
      <div className={css.actions}>
        <Button size="lg" onClick={props.onBack}>
          {t("common:action.back")}
        </Button>
        <Button type="submit" variant="primary" size="lg" busy={props.busy}>
          {t("workspace.create")}
        </Button>
      </div>
    </form>
  );
}

function CheckStep({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation(["setup", "common"]);
  const checks = useQuery({ queryKey: ["system-checks"], queryFn: () => fetchSystemChecks(), retry: 1 });
  const warnings = checks.data?.filter((check) => !check.ok).length ?? 0;
  return (
    <div className={css.form}>
      {checks.isPending && <SkeletonRows rows={5} label={t("checks.loading")} />}
      {checks.isError && (
        <ErrorCard title={t("checks.failed")} error={checks.error} onRetry={() => void checks.refetch()} />
      )}
      {checks.data && <Checks checks={checks.data} />}
      {warnings > 0 && <Note tone="wait">{t("checks.warnings", { count: warnings })}</Note>}
      <div className={css.actions}>
        <Button size="lg" onClick={() => void checks.refetch()} busy={checks.isFetching && !checks.isPending}>
          {t("checks.again")}
        </Button>
        <Button variant="primary" size="lg" onClick={onDone} autoFocus>
          {warnings > 0 ? t("checks.continueAnyway") : t("common:action.continue")}
        </Button>
      </div>
    </div>
  );
}

/** The first-run link leads here: four steps from nothing to the first workflow. */
export default function SetupPage() {
  const { t } = useTranslation(["setup", "common"]);
  const token = useLinkToken();
  const session = useQuery(sessionQuery);
  const takeSession = useTakeSession();
  const workspaceId = useSession()?.workspaces[0]?.id;
  const [step, setStep] = useState<Step>("you");
  const [answers, setAnswers] = useState<Answers>(() => ({
    name: "",
    email: "",
    password: "",
    workspaceName: "",
    language: guessedLanguage(navigator.language),
    timeZone: guessedTimeZone(),
    currency: guessedCurrency(navigator.language),
  }));
  const change = (part: Partial<Answers>) => setAnswers((before) => ({ ...before, ...part }));

  const create = useMutation({
    mutationFn: () =>
      setUp({
        token: token ?? "",
        name: answers.name.trim(),
        email: answers.email.trim(),
        password: answers.password,
        workspace: {
          name: answers.workspaceName.trim(),
          language: answers.language,
          time_zone: answers.timeZone,
          currency: answers.currency,
        },
      }),
    onSuccess: (made) => {
      setStep("check");
      takeSession(made);
    },
    onError: (error) => {
      if (error instanceof ApiError && ["name", "email", "password"].some((field) => field in error.fields)) {
        setStep("you");
      }
    },
  });

  useEffect(() => {
    document.title = t("title");
  }, [t]);

  const begun = step === "check" || step === "start";
  if (session.isPending) return <AuthFrame title={t("title")}>{<SkeletonRows label={t("checks.loading")} />}</AuthFrame>;
  if (session.isError) {
    return (
      <AuthFrame title={t("title")}>
        <ErrorCard error={session.error} onRetry={() => void session.refetch()} />
      </AuthFrame>
    );
  }
  if (!begun && !session.data.setup_required) {
    return (
      <AuthFrame title={t("done.title")} lead={t("done.text")}>
        <Link to={session.data.user ? "/" : "/sign-in"} className={buttonClass("primary", "lg")}>
          {session.data.user ? t("done.home") : t("done.signIn")}
        </Link>
      </AuthFrame>
    );
  }
  if (!begun && !token) {
    return (
      <AuthFrame title={t("noToken.title")} lead={t("noToken.text")}>
        <Note>{t("noToken.where")}</Note>
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={t(`heading.${step}`)} lead={t(`lead.${step}`)} wide>
      <Progress step={step} />
      {step === "you" && (
        <>
          {create.error !== null && <ErrorCard title={t("workspace.failed")} error={create.error} />}
          {create.error instanceof ApiError && Object.keys(create.error.fields).length > 0 && (
            <Note tone="wait">{Object.values(create.error.fields).flat().join(" ")}</Note>
          )}
          <YouStep answers={answers} change={change} onDone={() => setStep("workspace")} />
        </>
      )}
      {step === "workspace" && (
        <WorkspaceStep
          answers={answers}
          change={change}
          onBack={() => setStep("you")}
          onDone={() => create.mutate()}
          busy={create.isPending}
          error={create.error}
        />
      )}
      {step === "check" && <CheckStep onDone={() => setStep("start")} />}
      {step === "start" && workspaceId && <StartCards workspace={workspaceId} />}
      {step === "start" && (
        <Link to="/" className={buttonClass("quiet")}>
          {t("start.later")}
          <ArrowRight size={15} aria-hidden />
        </Link>
      )}
    </AuthFrame>
  );
}
