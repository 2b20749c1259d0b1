import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { type Colleague, type Group, useAskable, useGroups } from "../../api/people";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { Button, CheckboxField, ConfirmDialog, cx, Dialog, ErrorCard, IconButton, rowsClass, sectionTitleClass, showToast, sidesClass, SkeletonRows, TextField } from "../../ui";
import { HistoryButton } from "../history/HistoryButton";
import css from "./settings.module.css";

/** Groups of members: who is asked together. */
export default function Groups() {
  const { t } = useTranslation("people");
  const groups = useGroups();
  const people = useAskable().data?.people ?? [];
  const [editing, setEditing] = useState<Group | "new" | null>(null);
  const [removing, setRemoving] = useState<Group | null>(null);
  const names = (group: Group) =>
    people
      .filter((one) => group.members.includes(one.member))
      .map((one) => one.name || one.email)
      .join(", ");
  return (
    <section className={css.groups} aria-labelledby="groups-title">
      <div className={css.head}>
        <div>
          <h2 className={sectionTitleClass} id="groups-title">
            {t("groups.title")}
          </h2>
          <p>{t("groups.lead")}</p>
        </div>
        <Button icon={<Plus size={16} aria-hidden />} onClick={() => setEditing("new")}>
          {t("groups.make")}
        </Button>
      </div>
      {groups.isError && <ErrorCard title={t("groups.loadFailed")} error={groups.error} onRetry={() => void groups.refetch()} />}
      {groups.isPending && <SkeletonRows rows={2} height={34} label={t("groups.loading")} />}
      {groups.data?.length === 0 && <p className={css.none}>{t("groups.none")}</p>}
      {groups.data && groups.data.length > 0 && (
        <ul className={cx(rowsClass, sidesClass)}>
          {groups.data.map((group) => (
            <li key={group.id}>
              <span>
                <b>{group.name}</b>
                <small>{names(group) || t("groups.nobody")}</small>
              </span>
              <span className={css.end}>
                <IconButton size="sm" label={t("groups.edit", { name: group.name })} icon={<Pencil size={15} />} onClick={() => setEditing(group)} />
                <HistoryButton what="groups" id={group.id} name={group.name} />
                <IconButton size="sm" label={t("groups.remove", { name: group.name })} icon={<Trash2 size={15} />} onClick={() => setRemoving(group)} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {editing && <GroupDialog group={editing === "new" ? null : editing} people={people} onClose={() => setEditing(null)} />}
      {removing && <RemoveGroup group={removing} onClose={() => setRemoving(null)} />}
    </section>
  );
}

function useRefresh() {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [workspace, "groups"] }),
      client.invalidateQueries({ queryKey: [workspace, "people"] }),
    ]);
}

function GroupDialog({ group, people, onClose }: { group: Group | null; people: readonly Colleague[]; onClose: () => void }) {
  const { t } = useTranslation(["people", "common"]);
  const path = `${workspacePath(useWorkspace().id)}/groups`;
  const refresh = useRefresh();
  const [name, setName] = useState(group?.name ?? "");
  const [members, setMembers] = useState<readonly string[]>(group?.members ?? []);
  const save = useMutation({
    mutationFn: () => {
      // Whoever was switched off stays in the group, and counts again when they are back.
      const body = { name, members };
      const once = { idempotencyKey: newIdempotencyKey() };
      return group ? api.patch<Group>(`${path}/${group.id}`, body, once) : api.post<Group>(path, body, once);
    },
    onSuccess: async (saved) => {
      onClose();
      showToast({ title: t("groups.saved", { name: saved.name }) });
      await refresh();
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  return (
    <Dialog opened onClose={onClose} title={group ? t("groups.edit", { name: group.name }) : t("groups.make")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {save.isError && !fields["name"] && <ErrorCard title={t("groups.failed")} error={save.error} />}
        <TextField
          label={t("groups.name")}
          hint={t("groups.nameHint")}
          required
          data-autofocus
          autoComplete="off"
          maxLength={80}
          value={name}
          error={fields["name"]?.join(" ")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <fieldset className={css.checks}>
          <legend>{t("groups.members")}</legend>
          {people.map((one) => (
            <CheckboxField
              key={one.member}
              label={one.name || one.email}
              checked={members.includes(one.member)}
              onChange={(on) => setMembers(on ? [...members, one.member] : members.filter((id) => id !== one.member))}
            />
          ))}
        </fieldset>
        <div className={css.dialogEnd}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            {t("groups.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RemoveGroup({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTranslation("people");
  const path = `${workspacePath(useWorkspace().id)}/groups/${group.id}`;
  const refresh = useRefresh();
  const remove = useMutation({
    mutationFn: () => api.delete(path),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("groups.removed", { name: group.name }) });
      await refresh();
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("groups.removeTitle", { name: group.name })}
      confirm={t("groups.removeConfirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("groups.removeFailed")} error={remove.error} />}
      <p>{t("groups.removeText")}</p>
    </ConfirmDialog>
  );
}
