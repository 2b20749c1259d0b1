import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Tag, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ChosenRuns } from "../../api/runSearch";
import { refreshTags, tagRuns } from "../../api/runTags";
import { useWorkspace } from "../../api/session";
import { Button, Dialog, ErrorCard, IconButton, showToast, useFormatter } from "../../ui";
import css from "./runs.module.css";
import { TagField } from "./TagField";
import { holds, problemOf, tagOf } from "./tags";
import own from "./tags.module.css";

const MOST_AT_ONCE = 5;

/** Puts words on the chosen runs, and takes others away. */
export function TagDialog({ chosen, count, onClose }: { chosen: ChosenRuns; count: number; onClose: () => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [add, setAdd] = useState<readonly string[]>([]);
  const [remove, setRemove] = useState<readonly string[]>([]);
  const [adding, setAdding] = useState("");
  const [removing, setRemoving] = useState("");
  // What was typed and not settled by Enter is meant as well.
  const allOf = (tags: readonly string[], text: string): readonly string[] => (tagOf(text) && !holds(tags, text) ? [...tags, tagOf(text)] : tags);
  const many = (number: number) => ({ count: number, number: format.number(number) });
  const save = useMutation({
    mutationFn: () => tagRuns(workspace, chosen, allOf(add, adding), allOf(remove, removing)),
    onSuccess: (done) => {
      refreshTags(client, workspace);
      const asides = [done.full > 0 && t("tags.full", many(done.full)), done.more && t("tags.leftOut")].filter((one) => one !== false);
      showToast({ title: t("tags.done", many(done.changed)), text: asides.join(" ") || undefined, tone: asides.length > 0 ? "info" : "ok" });
      onClose();
    },
  });
  const wordsOf = (tags: readonly string[], text: string): string | undefined => {
    const problem = problemOf(text);
    if (problem) return t(`tags.problem.${problem}`);
    return allOf(tags, text).length > MOST_AT_ONCE ? t("tags.problem.many") : undefined;
  };
  const wrong = wordsOf(add, adding) !== undefined || wordsOf(remove, removing) !== undefined;
  const nothing = allOf(add, adding).length + allOf(remove, removing).length === 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!save.isPending && !wrong && !nothing) save.mutate();
  };
  const pick = (tags: readonly string[], set: (tags: readonly string[]) => void, clear: (text: string) => void) => (tag: string) => {
    if (wordsOf(tags, tag) !== undefined) return;
    set(allOf(tags, tag));
    clear("");
  };
  return (
    <Dialog opened onClose={onClose} title={t("tags.title")}>
      <form className={css.addForm} onSubmit={submit} noValidate>
        {save.isError && <ErrorCard title={t("tags.failed")} error={save.error} />}
        <TagField label={t("tags.add")} value={adding} onChange={setAdding} onPick={pick(add, setAdd, setAdding)} without={add} error={wordsOf(add, adding)} hint={t("tags.hint")} autoFocus />
        <Chosen tags={add} label={t("tags.toAdd")} onRemove={(tag) => setAdd(add.filter((one) => one !== tag))} />
        <TagField label={t("tags.remove")} value={removing} onChange={setRemoving} onPick={pick(remove, setRemove, setRemoving)} without={remove} error={wordsOf(remove, removing)} />
        <Chosen tags={remove} label={t("tags.toRemove")} onRemove={(tag) => setRemove(remove.filter((one) => one !== tag))} />
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={nothing || wrong}>
            {t("tags.confirm", many(count))}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Chosen({ tags, label, onRemove }: { tags: readonly string[]; label: string; onRemove: (tag: string) => void }) {
  const { t } = useTranslation("runs");
  if (tags.length === 0) return null;
  return (
    <ul className={own.tags} aria-label={label}>
      {tags.map((tag) => (
        <li key={tag} className={own.held}>
          <span className={own.tag}>
            <Tag size={12} aria-hidden />
            <span>{tag}</span>
          </span>
          <IconButton size="sm" label={t("tags.leaveOut", { tag })} icon={<X size={12} />} onClick={() => onRemove(tag)} />
        </li>
      ))}
    </ul>
  );
}
