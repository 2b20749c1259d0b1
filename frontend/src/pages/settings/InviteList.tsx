import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { InviteListCheck, InvitedPerson, InviteReport, ListedState } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Role } from "../../api/types";
import {
  Button,
  CheckboxField,
  Chip,
  type ChipProps,
  CopyButton,
  copyText,
  cx,
  ErrorCard,
  Note,
  rowsClass,
  sidesClass,
  TextAreaField,
  useFormatter,
} from "../../ui";
import { RoleField } from "./Invite";
import css from "./settings.module.css";

type Outcome = InvitedPerson["outcome"];

const TONES: Record<ListedState | Outcome, NonNullable<ChipProps["tone"]>> = {
  new: "ok",
  invited: "wait",
  renewed: "ok",
  left: "wait",
  member: "idle",
  twice: "idle",
  no_address: "err",
};
/** What needs a look stands first. */
const STATES: readonly ListedState[] = ["no_address", "twice", "invited", "member", "new"];
const OUTCOMES: readonly Outcome[] = ["invited", "renewed", "left", "member", "twice", "no_address"];
const SAID = ["too_many_people", "list_too_long", "nobody_to_invite"];

/** A paragraph to which the focus goes, so that what has become of it is read out. */
function Told({ children }: { children: ReactNode }) {
  const ref = useRef<HTMLParagraphElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return (
    <p ref={ref} tabIndex={-1} className={css.told}>
      {children}
    </p>
  );
}

function Failed({ title, error }: { title: string; error: unknown }) {
  const { t } = useTranslation("settings");
  if (error instanceof ApiError && SAID.includes(error.code)) {
    return (
      <div role="alert">
        <Note tone="err">{t(`members.list.error.${error.code}`, { ...error.params })}</Note>
      </div>
    );
  }
  return <ErrorCard title={title} error={error} />;
}

interface Entry {
  line: number;
  text: string;
  email: string;
  role: string;
}

function Entries<T extends Entry>({ label, items, children }: { label: string; items: readonly T[]; children: (one: T) => ReactNode }) {
  const { t } = useTranslation("settings");
  const format = useFormatter();
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls is scrolled by keys
    <div className={css.listed} role="group" aria-label={label} tabIndex={0}>
      <ul className={cx(rowsClass, sidesClass)}>
        {items.map((one, place) => (
          <li key={place}>
            <span>
              {one.email || one.text}
              <small>{t("members.list.line", { line: format.number(one.line) })}</small>
            </span>
            {children(one)}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface WriteProps {
  text: string;
  onText: (text: string) => void;
  role: Role;
  onRole: (role: Role) => void;
  busy: boolean;
  error: unknown;
  onCheck: () => void;
  onClose: () => void;
}

function Write(props: WriteProps) {
  const { t } = useTranslation(["settings", "common"]);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("textarea")?.focus(), []);
  return (
    <form
      ref={form}
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        props.onCheck();
      }}
    >
      {props.error !== null && <Failed title={t("members.list.checkFailed")} error={props.error} />}
      <TextAreaField
        label={t("members.list.people")}
        hint={t("members.list.peopleHint")}
        rows={9}
        required
        autoComplete="off"
        spellCheck={false}
        value={props.text}
        onChange={(event) => props.onText(event.currentTarget.value)}
      />
      <RoleField role={props.role} onChange={props.onRole} />
      <div className={css.inviteEnd}>
        <Button onClick={props.onClose}>{t("common:action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={props.busy}>
          {t("members.list.check")}
        </Button>
      </div>
    </form>
  );
}

interface LookProps {
  found: InviteListCheck;
  role: Role;
  renew: boolean;
  onRenew: (renew: boolean) => void;
  busy: boolean;
  error: unknown;
  onSend: () => void;
  onBack: () => void;
}

function Look({ found, role, renew, onRenew, busy, error, onSend, onBack }: LookProps) {
  const { t } = useTranslation("settings");
  const format = useFormatter();
  const counts: Record<ListedState, number> = {
    new: found.new, member: found.members, invited: found.invited, twice: found.twice, no_address: found.no_addresses,
  };
  const told = [...STATES].reverse().filter((state) => state === "new" || counts[state] > 0);
  const count = found.new + (renew ? found.invited : 0);
  const sorted = STATES.flatMap((state) => found.people.filter((one) => one.state === state));
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (count > 0) onSend();
      }}
    >
      {error !== null && <Failed title={t("members.inviteFailed")} error={error} />}
      <Told>
        {told.map((state) => t(`members.list.count.${state}`, { count: counts[state], number: format.number(counts[state]) })).join(" · ")}
      </Told>
      {sorted.length > 0 && (
        <Entries label={t("members.list.understood")} items={sorted}>
          {(one) => (
            <Chip tone={TONES[one.state]}>
              {t(`members.list.state.${one.state}`, { role: t(`role.${one.role || role}`) })}
            </Chip>
          )}
        </Entries>
      )}
      {found.invited > 0 && (
        <CheckboxField label={t("members.list.renew")} hint={t("members.list.renewHint")} checked={renew} onChange={onRenew} />
      )}
      {count === 0 && <Note>{t("members.list.nobody")}</Note>}
      <div className={css.inviteEnd}>
        <Button onClick={onBack}>{t("members.list.back")}</Button>
        <Button type="submit" variant="primary" busy={busy} disabled={count === 0}>
          {t("members.list.send", { count, number: format.number(count) })}
        </Button>
      </div>
    </form>
  );
}

function Report({ people, onClose }: { people: readonly InvitedPerson[]; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const format = useFormatter();
  const [copied, setCopied] = useState(false);
  const links = people.flatMap((one) => (one.link ? [{ email: one.email, link: new URL(one.link, location.origin).href }] : []));
  const linkOf = new Map(links.map((one) => [one.email, one.link]));
  const told = OUTCOMES.map((outcome) => ({ outcome, count: people.filter((one) => one.outcome === outcome).length })).filter(
    ({ outcome, count }) => outcome === "invited" || count > 0,
  );
  return (
    <>
      <Told>
        {told.map(({ outcome, count }) => t(`members.list.came.${outcome}`, { count, number: format.number(count) })).join(" · ")}
      </Told>
      <Entries label={t("members.list.report")} items={people}>
        {(one) => {
          const link = one.link && linkOf.get(one.email);
          return (
            <span className={css.outcome}>
              <Chip tone={one.outcome === "invited" ? "ok" : TONES[one.outcome]}>
                {t(`members.list.outcome.${one.outcome}`, { role: one.role ? t(`role.${one.role}`) : "" })}
              </Chip>
              {link && <CopyButton text={link} label={t("members.list.copyOf", { email: one.email })} />}
            </span>
          );
        }}
      </Entries>
      {links.length > 0 && <Note tone="wait">{t("members.list.linksOnce")}</Note>}
      <div className={css.inviteEnd}>
        {links.length > 0 && (
          <Button
            icon={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
            onClick={() => void copyText(links.map((one) => `${one.email}\t${one.link}`).join("\n")).then(setCopied)}
          >
            {t(copied ? "members.list.copied" : "members.list.copyAll")}
          </Button>
        )}
        <Button variant="primary" onClick={onClose}>
          {t("members.doneInviting")}
        </Button>
      </div>
      <span className="srOnly" role="status">
        {copied ? t("members.list.copied") : ""}
      </span>
    </>
  );
}

/** Invites everybody of a pasted list: what was understood of it is seen first, and what came of each afterwards. */
export default function InviteList({ role, onRole, onClose }: { role: Role; onRole: (role: Role) => void; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [renew, setRenew] = useState(false);
  // Lines are told as they were pasted, for the server names them by their number.
  const people = useMemo(() => text.split(/\r\n|\r|\n/), [text]);
  // Sent twice, it invites once; what differs is another list.
  const said = useMemo(() => ({ body: { people, role, renew }, key: newIdempotencyKey() }), [people, role, renew]);
  const path = `${workspacePath(workspace)}/members/list`;
  const check = useMutation({ mutationFn: () => api.post<InviteListCheck>(`${path}/check`, { people }) });
  const send = useMutation({
    mutationFn: () => api.post<InviteReport>(path, said.body, { idempotencyKey: said.key }),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace, "members"] }),
  });
  if (send.data) return <Report people={send.data.people} onClose={onClose} />;
  if (check.data) {
    return (
      <>
        <p className={css.lead}>{t("members.list.lead", { role: t(`role.${role}`) })}</p>
        <Look
          found={check.data}
          role={role}
          renew={renew}
          onRenew={setRenew}
          busy={send.isPending}
          error={send.error}
          onSend={() => send.mutate()}
          onBack={() => {
            check.reset();
            send.reset();
          }}
        />
      </>
    );
  }
  return (
    <Write
      text={text}
      onText={setText}
      role={role}
      onRole={onRole}
      busy={check.isPending}
      error={check.error}
      onCheck={() => check.mutate()}
      onClose={onClose}
    />
  );
}
