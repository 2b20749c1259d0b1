import { useQuery } from "@tanstack/react-query";
import { CalendarClock, CircleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { formatExact, type JsonObject, parseExact } from "../../graph";
import { scheduleProblem } from "../../i18n/problems";
import { clockText, scheduleText } from "../../i18n/schedules";
import { knownZone, useFormatter } from "../../ui";
import { useEnvironment } from "../EditorContext";
import rules from "../rules.module.css";

interface Fires {
  fires: string[];
  words: string;
  notes: string[];
}

/** The schedule in words and its next ten times, as the server reckons them. */
export function SchedulePreview({ config }: { config: JsonObject }) {
  const { t } = useTranslation("inspector");
  const formatter = useFormatter();
  const { workspace } = useEnvironment();
  const text = formatExact(config);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery({
    queryKey: [workspace, "schedule-preview", settled],
    queryFn: ({ signal }) => api.post<Fires>(`${workspacePath(workspace)}/schedules/preview`, { config: parseExact(settled) as JsonObject }, { signal }),
    staleTime: 60_000,
    retry: false,
    placeholderData: (before) => before,
  });
  // What the step starts with: the zone of the workspace counts only where somebody has chosen it.
  const zone = typeof config["timezone"] === "string" && config["timezone"] ? config["timezone"] : "UTC";
  const format = formatter.in(knownZone(zone) ?? "UTC");
  if (found.error) {
    return (
      <div className={rules.schedule} data-bad="true">
        <CircleAlert size={15} aria-hidden />
        <span>{found.error instanceof ApiError && found.error.detail ? scheduleProblem(found.error.detail) : t("schedule.failed")}</span>
      </div>
    );
  }
  if (!found.data) return null;
  return (
    <section className={rules.schedule} aria-label={t("schedule.next")}>
      <CalendarClock size={15} aria-hidden />
      <div>
        <b>{scheduleText(found.data.words) || t("schedule.next")}</b>
        <small>{zone.replaceAll("_", " ")}</small>
        {found.data.notes.map((note) => (
          <p key={note}>{scheduleProblem(clockText(note))}</p>
        ))}
        <h4>{t("schedule.next")}</h4>
        <ol>
          {found.data.fires.map((fire) => (
            <li key={fire}>
              <time dateTime={fire}>{format.weekdayClock(fire)}</time>
            </li>
          ))}
        </ol>
        {found.data.fires.length === 0 && <p>{t("schedule.never")}</p>}
      </div>
    </section>
  );
}
