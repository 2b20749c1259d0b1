import { useMutation } from "@tanstack/react-query";
import { Palmtree } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Absence, type AbsenceBody, stateOf, useAbsences, useAskedAnew } from "../../api/absences";
import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { useAskable } from "../../api/people";
import { workspacePath } from "../../api/queries";
import { useUser, useWorkspace } from "../../api/session";
import { Button, Card, Dialog, ErrorCard, Note, sectionTitleClass, SelectField, showToast, SkeletonRows, TextAreaField, TextField, useFormatter } from "../../ui";
import { useAwayWords } from "../inbox/away";
import css from "./settings.module.css";

const LONGEST_NOTE = 400;

/** The day that it is in the workspace, as a field of dates has it. */
function useToday(): string {
  const format = useFormatter();
  // Of the English in Canada, who write days as ISO 8601 does.
  return new Intl.DateTimeFormat("en-CA", { timeZone: format.timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
}

interface FormProps {
  /** Whose it is: the id of the membership; null: one's own. */
  member: string | null;
  name: string;
  absence: Absence | null;
  onDone: () => void;
}

/** From when until when, who stands in, and a note for them. */
function AbsenceForm({ member, name, absence, onDone }: FormProps) {
  const { t } = useTranslation(["away", "common"]);
  const workspace = useWorkspace().id;
  const me = useUser().email;
  const today = useToday();
  const people = useAskable();
  const askedAnew = useAskedAnew();
  const [first, setFirst] = useState(absence?.first_day ?? today);
  const [last, setLast] = useState(absence?.last_day ?? "");
  const [standIn, setStandIn] = useState(absence?.stand_in?.member ?? "");
  const [note, setNote] = useState(absence?.note ?? "");
  const path = `${workspacePath(workspace)}/${member ? `members/${member}/absence` : "absences/mine"}`;
  const save = useMutation({
    mutationFn: () => {
      const body: AbsenceBody = { first_day: first, last_day: last || null, stand_in: standIn, note };
      const once = { idempotencyKey: newIdempotencyKey() };
      return absence ? api.put<Absence>(path, body, once) : api.post<Absence>(path, body, once);
    },
    onSuccess: async () => {
      await askedAnew();
      showToast({ title: t(member ? "savedFor" : "saved", { name }) });
      onDone();
    },
  });
  const end = useMutation({
    mutationFn: () => api.delete(path, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: async () => {
      await askedAnew();
      showToast({ title: t(member ? "endedFor" : "ended", { name }) });
      onDone();
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const others = people.data?.people.filter((one) => (member ? one.member !== member : one.email !== me)) ?? [];
  const failed = (save.isError && Object.keys(fields).length === 0) || end.isError;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {failed && <ErrorCard title={t("failed")} error={save.error ?? end.error} />}
      {people.isError && <ErrorCard title={t("peopleFailed")} error={people.error} onRetry={() => void people.refetch()} />}
      <div className={css.two}>
        <TextField label={t("from")} type="date" required value={first} error={fields["first_day"]?.join(" ")} onChange={(event) => setFirst(event.currentTarget.value)} />
        <TextField
          label={t("last")}
          hint={t("lastHint")}
          type="date"
          min={first > today ? first : today}
          value={last}
          error={fields["last_day"]?.join(" ")}
          onChange={(event) => setLast(event.currentTarget.value)}
        />
      </div>
      <SelectField
        label={t("standIn")}
        hint={t("standInHint")}
        required
        value={standIn}
        error={fields["stand_in"]?.join(" ")}
        options={[{ value: "", label: t("choose") }, ...others.map((one) => ({ value: one.member, label: one.name || one.email }))]}
        onChange={setStandIn}
      />
      <TextAreaField
        label={t("note")}
        hint={t("noteHint")}
        aside={t("optional")}
        rows={2}
        maxLength={LONGEST_NOTE}
        value={note}
        error={fields["note"]?.join(" ")}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className={css.save}>
        <Button type="submit" variant="primary" disabled={!first || !standIn} busy={save.isPending}>
          {t(absence ? "common:action.save" : "say")}
        </Button>
        {absence && (
          <Button busy={end.isPending} onClick={() => end.mutate()}>
            {t(absence.holds ? (member ? "backFor" : "back") : "cancel")}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Of oneself, on one's own page. */
export function OutOfOffice() {
  const { t } = useTranslation("away");
  const absences = useAbsences();
  const words = useAwayWords();
  const user = useUser();
  const mine = absences.data?.find((one) => one.who.me) ?? null;
  return (
    <Card padded className={css.form} id="out-of-office">
      <div>
        <h2 className={sectionTitleClass}>{t("title")}</h2>
        <p className={css.lead}>{t("lead")}</p>
      </div>
      {absences.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {absences.isError && <ErrorCard title={t("loadFailed")} error={absences.error} onRetry={() => void absences.refetch()} />}
      {mine && (
        <Note tone={mine.hand ? "accent" : "wait"} icon={<Palmtree size={16} aria-hidden />}>
          {words.mine(mine)}
        </Note>
      )}
      {absences.data && (
        <AbsenceForm key={stateOf(mine)} member={null} name={user.name} absence={mine} onDone={() => undefined} />
      )}
    </Card>
  );
}

/** Of a member, by an admin. */
export default function AbsenceDialog({ member, name, onClose }: { member: string; name: string; onClose: () => void }) {
  const { t } = useTranslation("away");
  const absences = useAbsences();
  const theirs = absences.data?.find((one) => one.who.member === member) ?? null;
  return (
    <Dialog opened onClose={onClose} title={t("titleOf", { name })}>
      {absences.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {absences.isError && <ErrorCard title={t("loadFailed")} error={absences.error} onRetry={() => void absences.refetch()} />}
      {absences.data && (
        <AbsenceForm key={stateOf(theirs)} member={member} name={name} absence={theirs} onDone={onClose} />
      )}
    </Dialog>
  );
}
