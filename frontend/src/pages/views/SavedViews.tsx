import { Menu } from "@mantine/core";
import { BookmarkPlus, EllipsisVertical, House, Pencil, Trash2, UserRound, Users } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button, CheckboxField, Dialog, ErrorCard, FilterChip, IconButton, showToast, TextField, useErrorText } from "../../ui";
import css from "./views.module.css";

/** A search of a list that was saved under a name. */
export interface SavedView<S> {
  id: string;
  name: string;
  search: S;
  shared: boolean;
  mine: boolean;
  owner: string;
  /** The list is opened with it. */
  first?: boolean;
}

export interface ViewWrites<S> {
  save: (view: { name: string; search: S; shared: boolean }) => Promise<unknown>;
  change: (id: string, part: { name?: string; shared?: boolean }) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
  /** Opens the list with this one from now on; null: with everything. Lists that have no such choice leave it out. */
  openWith?: (id: string | null) => Promise<unknown>;
}

interface Props<S> {
  search: S;
  views: readonly SavedView<S>[];
  /** What is offered before anybody has saved anything; the first is everything. */
  fixed: readonly { label: string; search: S }[];
  same: (one: S, other: S) => boolean;
  onChoose: (search: S, view: SavedView<S> | null) => void;
  writes: ViewWrites<S>;
  /** Whether one may share, and change what others have shared. One's own one changes in any case. */
  mayShare: boolean;
  /** Whether there is anything to save. */
  worth: boolean;
}

/** Searches of a list under names: those that it comes with, and those that people have saved. */
export function SavedViews<S>({ search, views, fixed, same, onChoose, writes, mayShare, worth }: Props<S>) {
  const { t } = useTranslation("views");
  const [saving, setSaving] = useState(false);
  const known = [...fixed, ...views].some((one) => same(one.search, search));
  const everything = fixed[0];
  return (
    <div className={css.views} role="group" aria-label={t("title")}>
      {fixed.map((one) => (
        <FilterChip key={one.label} on={same(search, one.search)} onClick={() => onChoose(one.search, null)}>
          {one.label}
        </FilterChip>
      ))}
      {views.map((view) => (
        <Saved
          key={view.id}
          view={view}
          on={same(search, view.search)}
          onChoose={() => onChoose(view.search, view)}
          onGone={() => everything && onChoose(everything.search, null)}
          writes={writes}
          mayShare={mayShare}
        />
      ))}
      {!known && worth && (
        <Button size="sm" variant="quiet" icon={<BookmarkPlus size={14} aria-hidden />} onClick={() => setSaving(true)}>
          {t("save")}
        </Button>
      )}
      {saving && (
        <NameDialog title={t("saveTitle")} shared={mayShare ? false : null} onClose={() => setSaving(false)} onDone={(name, shared) => writes.save({ name, search, shared })} />
      )}
    </div>
  );
}

interface SavedProps<S> {
  view: SavedView<S>;
  on: boolean;
  onChoose: () => void;
  onGone: () => void;
  writes: ViewWrites<S>;
  mayShare: boolean;
}

function Saved<S>({ view, on, onChoose, onGone, writes, mayShare }: SavedProps<S>) {
  const { t } = useTranslation(["views", "common"]);
  const [renaming, setRenaming] = useState(false);
  const errorText = useErrorText();
  // One's own may have come shared from somebody who left.
  const mayChange = view.mine || (view.shared && mayShare);
  const tried = (deed: Promise<unknown>): void =>
    void deed.catch((error: unknown) => showToast({ tone: "err", title: t("changeFailed"), text: errorText(error).title }));
  const takeAway = async (): Promise<void> => {
    await writes.remove(view.id);
    if (on) onGone();
    showToast({
      title: t("removed", { name: view.name }),
      action: { label: t("common:action.undo"), run: () => tried(writes.save({ name: view.name, search: view.search, shared: view.shared })) },
    });
  };
  let sign: ReactNode;
  if (view.first) sign = <House size={12} aria-hidden />;
  else if (view.shared) sign = <Users size={12} aria-hidden />;
  return (
    <span className={css.saved}>
      <FilterChip on={on} onClick={onChoose} icon={sign}>
        {view.name}
        {view.shared && <span className="srOnly"> {t("shared", { owner: view.owner })}</span>}
        {view.first && <span className="srOnly"> {t("first")}</span>}
      </FilterChip>
      {on && (mayChange || writes.openWith) && (
        <Menu position="bottom-start" withinPortal radius={10} width={250}>
          <Menu.Target>
            <IconButton size="sm" label={t("more", { name: view.name })} icon={<EllipsisVertical size={14} />} />
          </Menu.Target>
          <Menu.Dropdown>
            {writes.openWith && (
              <Menu.Item leftSection={<House size={15} />} onClick={() => tried(writes.openWith?.(view.first ? null : view.id) ?? Promise.resolve())}>
                {t(view.first ? "openWithAll" : "openWith")}
              </Menu.Item>
            )}
            {mayChange && (
              <Menu.Item leftSection={<Pencil size={15} />} onClick={() => setRenaming(true)}>
                {t("rename")}
              </Menu.Item>
            )}
            {view.mine && (view.shared || mayShare) && (
              <Menu.Item leftSection={view.shared ? <UserRound size={15} /> : <Users size={15} />} onClick={() => tried(writes.change(view.id, { shared: !view.shared }))}>
                {t(view.shared ? "keep" : "share")}
              </Menu.Item>
            )}
            {mayChange && (
              <Menu.Item leftSection={<Trash2 size={15} />} onClick={() => tried(takeAway())}>
                {t("remove")}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {renaming && (
        <NameDialog title={t("renameTitle", { name: view.name })} first={view.name} shared={null} onClose={() => setRenaming(false)} onDone={(name) => writes.change(view.id, { name })} />
      )}
    </span>
  );
}

/** Asks for a name; with `shared` also whether others are offered it. */
function NameDialog({ title, first = "", shared, onClose, onDone }: { title: string; first?: string; shared: boolean | null; onClose: () => void; onDone: (name: string, shared: boolean) => Promise<unknown> }) {
  const { t } = useTranslation(["views", "common"]);
  const [name, setName] = useState(first);
  const [all, setAll] = useState(shared ?? false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!name.trim() || busy) return;
    setBusy(true);
    try {
      await onDone(name.trim(), all);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog opened onClose={onClose} title={title}>
      <form className={css.form} onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorCard title={t("saveFailed")} error={error} />}
        <TextField label={t("name")} value={name} maxLength={80} autoComplete="off" data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        {shared !== null && <CheckboxField label={t("share")} hint={t("shareHint")} checked={all} onChange={setAll} />}
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={!name.trim()}>
            {t("confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
