import { useNavigate, useSearch } from "@tanstack/react-router";
import { FileUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Calendar, countryName, useCalendars, useCalendarUses, useRemoveCalendar } from "../../api/calendars";
import { useCan } from "../../api/session";
import { Button, Chip, ConfirmDialog, cx, EmptyState, ErrorCard, IconButton, rowsClass, sectionTitleClass, showToast, sidesClass, SkeletonRows, useFormatter } from "../../ui";
import { HistoryButton } from "../history/HistoryButton";
import { CalendarDialog } from "./CalendarDialog";
import { CalendarImport } from "./CalendarImport";
import css from "./calendars.module.css";
import { CalendarYear } from "./CalendarYear";
import settings from "./settings.module.css";

type Doing = { what: "edit" | "import" | "remove"; calendar: Calendar } | { what: "new" };

/** The calendars of the workspace, and a year of the one that is chosen. */
export default function CalendarsPage() {
  const { t } = useTranslation(["calendars", "settings"]);
  const isAdmin = useCan("admin");
  const found = useCalendars();
  const { calendar: chosen } = useSearch({ from: "/shell/settings/calendars" });
  const navigate = useNavigate({ from: "/settings/calendars" });
  const setChosen = (id: string) => void navigate({ search: (before) => ({ ...before, calendar: id }), replace: true });
  const [doing, setDoing] = useState<Doing | null>(null);
  const all = found.data ?? [];
  const shown = all.find((one) => one.id === chosen) ?? all[0];
  const make = isAdmin && (
    <Button icon={<Plus size={16} aria-hidden />} onClick={() => setDoing({ what: "new" })}>
      {t("make")}
    </Button>
  );
  const close = () => setDoing(null);
  return (
    <>
      <div className={settings.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("title")}</h2>
          <p>{t("lead")}</p>
        </div>
        {all.length > 0 && make}
      </div>
      {found.isError && <ErrorCard title={t("loadFailed")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows rows={3} height={44} label={t("loading")} />}
      {found.data && all.length === 0 && <EmptyState plain title={t("empty")} text={t(isAdmin ? "emptyText" : "emptyTextOthers")} actions={make || undefined} />}
      {shown && (
        <>
          <ul className={cx(rowsClass, sidesClass, css.list)}>
            {all.map((one) => (
              <Row key={one.id} calendar={one} shown={one.id === shown.id} isAdmin={isAdmin} onShow={() => setChosen(one.id)} onDo={(what) => setDoing({ what, calendar: one })} />
            ))}
          </ul>
          <CalendarYear key={shown.id} calendar={shown} />
        </>
      )}
      {doing?.what === "new" && <CalendarDialog calendar={null} onSaved={(saved) => setChosen(saved.id)} onClose={close} />}
      {doing?.what === "edit" && <CalendarDialog calendar={doing.calendar} onSaved={(saved) => setChosen(saved.id)} onClose={close} />}
      {doing?.what === "import" && <CalendarImport calendar={doing.calendar} onSaved={(saved) => setChosen(saved.id)} onClose={close} />}
      {doing?.what === "remove" && <RemoveCalendar calendar={doing.calendar} onClose={close} />}
    </>
  );
}

interface RowProps {
  calendar: Calendar;
  shown: boolean;
  isAdmin: boolean;
  onShow: () => void;
  onDo: (what: "edit" | "import" | "remove") => void;
}

function Row({ calendar, shown, isAdmin, onShow, onDo }: RowProps) {
  const { t } = useTranslation("calendars");
  const { name } = calendar;
  return (
    <li data-shown={shown || undefined}>
      <span className={css.what}>
        <button type="button" className={css.name} aria-current={shown ? "true" : undefined} onClick={onShow}>
          {name}
        </button>{" "}
        {calendar.default && <Chip tone="accent">{t("default")}</Chip>}
        <small>
          <Facts calendar={calendar} />
        </small>
      </span>
      {isAdmin && (
        <span className={settings.end}>
          <IconButton size="sm" label={t("import.of", { name })} icon={<FileUp size={15} />} onClick={() => onDo("import")} />
          <IconButton size="sm" label={t("edit", { name })} icon={<Pencil size={15} />} onClick={() => onDo("edit")} />
          <HistoryButton what="calendars" id={calendar.id} name={name} />
          <IconButton size="sm" label={t("remove.of", { name })} icon={<Trash2 size={15} />} onClick={() => onDo("remove")} />
        </span>
      )}
    </li>
  );
}

/** Which days are worked, whose holidays, and how many days of its own: in one line. */
function Facts({ calendar }: { calendar: Calendar }) {
  const { t, i18n } = useTranslation("calendars");
  const format = useFormatter();
  const { weekdays, country, region, days, close } = calendar;
  const worked = weekdays.join() === "0,1,2,3,4" ? t("monFri") : weekdays.map((day) => t(`weekday.${day}` as "weekday.0")).join(", ");
  const where = country ? `${countryName(country, i18n.language)}${region ? ` (${region})` : ""}` : t("noHolidays");
  return [worked, where, days.length > 0 ? t("ownDays", { count: days.length, number: format.number(days.length) }) : "", close ? t("closes", { day: t(`close.${close}` as "close.last") }) : ""].filter(Boolean).join(" · ");
}

function RemoveCalendar({ calendar, onClose }: { calendar: Calendar; onClose: () => void }) {
  const { t } = useTranslation("calendars");
  const uses = useCalendarUses(calendar.id);
  const remove = useRemoveCalendar(calendar, () => {
    onClose();
    showToast({ title: t("remove.done", { name: calendar.name }) });
  });
  const used = uses.data ?? [];
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("remove.title", { name: calendar.name })}
      confirm={t("remove.confirm")}
      variant="dangerFilled"
      busy={remove.isPending || uses.isPending}
      disabled={used.length > 0}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("remove.failed")} error={remove.error} />}
      {uses.isError && <ErrorCard title={t("remove.usesFailed")} error={uses.error} onRetry={() => void uses.refetch()} />}
      {used.length > 0 ? (
        <>
          <p>{t("remove.used")}</p>
          <ul className={css.uses}>
            {used.map((one) => (
              <li key={one.workflow_id}>
                <b>{one.name}</b>: {[...one.steps, ...(one.alert ? [t("remove.alert")] : [])].join(", ")}
              </li>
            ))}
          </ul>
        </>
      ) : (
        <p>{t("remove.text")}</p>
      )}
    </ConfirmDialog>
  );
}
