import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, ShieldCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import {
  makeRecoveryCodes,
  offerFactor,
  secondFactorQuery,
  turnFactorOff,
  turnFactorOn,
} from "../../api/secondFactor";
import {
  Button,
  Card,
  CodeField,
  CopyButton,
  CopyBox,
  Dialog,
  ErrorCard,
  Note,
  PasswordField,
  sectionTitleClass,
  SkeletonRows,
  useFormatter,
} from "../../ui";
import css from "./settings.module.css";

/** With so few left, new ones are due. */
const FEW = 3;

function fieldsOf(error: unknown): Record<string, string[]> {
  return error instanceof ApiError ? error.fields : {};
}

/** Where an error names neither of these fields, it stands above them. */
function Refused({ error, title, but }: { error: unknown; title: string; but: readonly string[] }) {
  if (error === null || but.some((name) => name in fieldsOf(error))) return null;
  return <ErrorCard title={title} error={error} />;
}

/** The recovery codes, which are shown once. */
function Codes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const save = () => {
    const address = URL.createObjectURL(new Blob([`${codes.join("\n")}\n`], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = t("factor.file");
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <Dialog
      opened
      stubborn
      onClose={onClose}
      title={t("factor.codesTitle")}
      footer={
        <>
          <Button icon={<Download size={16} aria-hidden />} onClick={save}>
            {t("factor.download")}
          </Button>
          <Button variant="primary" onClick={onClose}>
            {t("factor.kept")}
          </Button>
        </>
      }
    >
      <Note tone="wait">{t("factor.codesText")}</Note>
      <div className={css.codes}>
        <ul>
          {codes.map((code) => (
            <li key={code} className="mono">
              {code}
            </li>
          ))}
        </ul>
        <CopyButton text={codes.join("\n")} label={t("factor.copyCodes")} />
      </div>
    </Dialog>
  );
}

interface AskedProps {
  onClose: () => void;
  /** New recovery codes were made. */
  onCodes: (codes: string[]) => void;
}

function SetUpDialog({ onClose, onCodes }: AskedProps) {
  const { t } = useTranslation(["settings", "common"]);
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const offer = useMutation({ mutationFn: offerFactor });
  const { mutate: ask } = offer;
  const asked = useRef(false);
  useEffect(() => {
    // Once, also where the page is drawn twice: two keys on the screen would be one too many in the app.
    if (!asked.current) ask();
    asked.current = true;
  }, [ask]);
  const turnOn = useMutation({
    mutationFn: () => turnFactorOn({ offer: offer.data?.offer ?? "", code, password }),
    onSuccess: async ({ codes }) => {
      onCodes(codes);
      await client.invalidateQueries({ queryKey: secondFactorQuery.queryKey });
    },
  });
  const fields = fieldsOf(turnOn.error);
  return (
    <Dialog opened onClose={onClose} title={t("factor.setUpTitle")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          turnOn.mutate();
        }}
      >
        <Refused error={turnOn.error} title={t("factor.onFailed")} but={["code", "password"]} />
        {offer.isError && <ErrorCard title={t("factor.onFailed")} error={offer.error} onRetry={() => ask()} />}
        {offer.isPending && <SkeletonRows rows={4} height={34} label={t("loading")} />}
        {offer.data && (
          <>
            <div className={css.scan}>
              <img src={offer.data.picture} alt={t("factor.picture")} width={172} height={172} />
              <div>
                <b>{t("factor.scan")}</b>
                <p>{t("factor.scanText")}</p>
                <a href={offer.data.address}>{t("factor.open")}</a>
              </div>
            </div>
            <div>
              <p>{t("factor.type")}</p>
              <CopyBox text={offer.data.key} label={t("factor.copyKey")} />
            </div>
            <b>{t("factor.enter")}</b>
            <CodeField hint="" autoFocus value={code} error={fields.code?.join(" ")} onChange={setCode} />
            <PasswordField
              label={t("factor.password")}
              autoComplete="current-password"
              required
              value={password}
              error={fields.password?.join(" ")}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          </>
        )}
        <div className={css.deeds}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" disabled={!code.trim() || !password} busy={turnOn.isPending}>
            {t("factor.turnOn")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Password and code, to turn it off or to have new recovery codes. */
function ProofDialog({ what, onClose, onCodes }: AskedProps & { what: "turnOff" | "new" }) {
  const { t } = useTranslation(["settings", "common"]);
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: async () => {
      if (what === "new") return (await makeRecoveryCodes({ code, password })).codes;
      await turnFactorOff({ code, password });
      return null;
    },
    onSuccess: async (codes) => {
      if (codes) onCodes(codes);
      else onClose();
      await client.invalidateQueries({ queryKey: secondFactorQuery.queryKey });
    },
  });
  const fields = fieldsOf(change.error);
  return (
    <Dialog opened onClose={onClose} title={t(`factor.${what}Title`)}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <p>{t(`factor.${what}Text`)}</p>
        <Refused error={change.error} title={t(`factor.${what}Failed`)} but={["code", "password"]} />
        <PasswordField
          label={t("factor.password")}
          autoComplete="current-password"
          required
          data-autofocus
          value={password}
          error={fields.password?.join(" ")}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <CodeField value={code} error={fields.code?.join(" ")} onChange={setCode} />
        <div className={css.deeds}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button
            type="submit"
            variant={what === "new" ? "primary" : "dangerFilled"}
            disabled={!code.trim() || !password}
            busy={change.isPending}
          >
            {t(what === "new" ? "factor.make" : "factor.turnOffDo")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whether signing in asks for a code as well, and everything about it. */
export function SecondFactor() {
  const { t } = useTranslation("settings");
  const format = useFormatter();
  const mine = useQuery(secondFactorQuery);
  const [asked, setAsked] = useState<"setUp" | "turnOff" | "new" | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => setAsked(null);
  const show = (made: string[]) => {
    setAsked(null);
    setCodes(made);
  };
  return (
    <Card padded className={css.form}>
      <h2 className={sectionTitleClass}>{t("factor.title")}</h2>
      <p>{t("factor.lead")}</p>
      {mine.isError && (
        <ErrorCard title={t("factor.failed")} error={mine.error} onRetry={() => void mine.refetch()} />
      )}
      {mine.isPending && <SkeletonRows rows={1} height={34} label={t("loading")} />}
      {mine.data?.on === false && (
        <>
          <p>{t("factor.off")}</p>
          <div className={css.save}>
            <Button icon={<ShieldCheck size={16} aria-hidden />} onClick={() => setAsked("setUp")}>
              {t("factor.setUp")}
            </Button>
          </div>
        </>
      )}
      {mine.data?.on && (
        <>
          <p>
            {t("factor.on", { date: format.day(mine.data.since ?? "") })}{" "}
            {t("factor.left", { count: mine.data.codes_left })}{" "}
            {mine.data.codes_left <= FEW && t("factor.few")}
          </p>
          <div className={css.save}>
            <Button onClick={() => setAsked("new")}>{t("factor.newCodes")}</Button>
            <Button variant="danger" onClick={() => setAsked("turnOff")}>
              {t("factor.turnOff")}
            </Button>
          </div>
        </>
      )}
      {asked === "setUp" && <SetUpDialog onClose={close} onCodes={show} />}
      {(asked === "turnOff" || asked === "new") && <ProofDialog what={asked} onClose={close} onCodes={show} />}
      {codes && <Codes codes={codes} onClose={() => setCodes(null)} />}
    </Card>
  );
}
