import { BookmarkPlus, Users, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { type SavedRunView, useRunViews, useRunViewWrites } from "../../api/runSearch";
import { useCan } from "../../api/session";
import { Button, CheckboxField, Dialog, ErrorCard, FilterChip, IconButton, showToast, TextField } from "../../ui";
import css from "./runs.module.css";
import { fromSaved, isFiltered, type RunListSearch, sameSearch, TO_LOOK_AFTER } from "./search";

/** Searches under names: "All", what to look after, and what people have saved. */
export function Views({ search, onChoose }: { search: RunListSearch; onChoose: (search: RunListSearch) => void }) {
  const { t } = useTranslation("runs");
  const views = useRunViews().data ?? [];
  const [saving, setSaving] = useState(false);
  const known = [{}, TO_LOOK_AFTER, ...views.map((view) => fromSaved(view.search))].some((one) => sameSearch(one, search));
  return (
    <div className={css.views} role="group" aria-label={t("views.title")}>
      <FilterChip on={sameSearch(search, {})} onClick={() => onChoose({})}>
        {t("views.all")}
      </FilterChip>
      <FilterChip on={sameSearch(search, TO_LOOK_AFTER)} onClick={() => onChoose(TO_LOOK_AFTER)}>
        {t("views.toLookAfter")}
      </FilterChip>
      {views.map((view) => (
        <Saved key={view.id} view={view} on={sameSearch(search, fromSaved(view.search))} onChoose={() => onChoose(fromSaved(view.search))} onGone={() => onChoose({})} />
      ))}
      {!known && (isFiltered(search) || search.sort) && (
        <Button size="sm" variant="quiet" icon={<BookmarkPlus size={14} aria-hidden />} onClick={() => setSaving(true)}>
          {t("views.save")}
        </Button>
      )}
      {saving && <SaveDialog search={search} onClose={() => setSaving(false)} />}
    </div>
  );
}

function Saved({ view, on, onChoose, onGone }: { view: SavedRunView; on: boolean; onChoose: () => void; onGone: () => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const mayShare = useCan("reviewer");
  const { save, remove } = useRunViewWrites();
  const mayRemove = view.shared ? mayShare : view.mine;
  const takeAway = async (): Promise<void> => {
    await remove(view.id);
    if (on) onGone();
    showToast({
      title: t("views.removed", { name: view.name }),
      action: { label: t("common:action.undo"), run: () => void save({ name: view.name, search: fromSaved(view.search), shared: view.shared }) },
    });
  };
  return (
    <span className={css.saved}>
      <FilterChip on={on} onClick={onChoose} icon={view.shared ? <Users size={12} aria-hidden /> : undefined}>
        {view.name}
        {view.shared && <span className="srOnly"> {t("views.shared", { owner: view.owner })}</span>}
      </FilterChip>
      {on && mayRemove && <IconButton size="sm" label={t("views.remove", { name: view.name })} icon={<X size={13} />} onClick={() => void takeAway()} />}
    </span>
  );
}

function SaveDialog({ search, onClose }: { search: RunListSearch; onClose: () => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const mayShare = useCan("reviewer");
  const { save } = useRunViewWrites();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!name.trim() || busy) return;
    setBusy(true);
    try {
      await save({ name: name.trim(), search, shared });
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog opened onClose={onClose} title={t("views.saveTitle")}>
      <form className={css.addForm} onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorCard title={t("views.saveFailed")} error={error} />}
        <TextField label={t("views.name")} value={name} maxLength={80} autoComplete="off" data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        {mayShare && <CheckboxField label={t("views.share")} hint={t("views.shareHint")} checked={shared} onChange={setShared} />}
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={!name.trim()}>
            {t("views.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
