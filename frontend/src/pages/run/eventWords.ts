import { useTranslation } from "react-i18next";

import { localNote } from "../../graph/notes";
import { useFormatter } from "../../ui";
import { startedBy } from "../runs/words";
import type { RunEvent } from "./events";
import { PROGRAMS } from "./record";

type Said = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  // A long text is on record by how it begins.
  const begins = typeof value === "object" && value !== null ? (value as { begins?: unknown }).begins : undefined;
  return typeof begins === "string" ? `${begins}…` : "";
};
const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** An event in words: what happened, and what is to be said of it beside. */
export function useEventWords(nameOf: (node: string) => string): { say: (event: RunEvent) => string; detail: (event: RunEvent) => string } {
  const { t, i18n } = useTranslation(["runs", "happenings", "trail"]);
  const format = useFormatter();
  const whoOf = (by: string | null): string => {
    if (by === null) return t("trail:somebody");
    return PROGRAMS.has(by) ? t(`trail:who.${by}`) : by || t("trail:somebody");
  };
  const say = (event: RunEvent): string => {
    const { kind, name, attempt, deed } = event;
    if (kind === "accepted") return t("event.accepted", { by: startedBy(event.by ?? "", t) });
    if (kind === "worker") return event.by ? t("happenings:worker", { what: t(`trail:kind.${deed}`), worker: event.by }) : t(`trail:kind.${deed}`);
    if (deed !== null) {
      const by = whoOf(event.by);
      const edited = deed === "run.retried" && event.said["edits"] ? "run.retried_edited" : deed;
      const key = `happenings:deed.${edited}`;
      if (deed.includes(".") && i18n.exists(key)) return t(key, { by, name: name || t("happenings:aStep"), about: event.about });
      return t("happenings:other", { by, what: i18n.exists(`trail:kind.${deed}`) ? t(`trail:kind.${deed}`) : deed });
    }
    if (kind === "started" && attempt > 1) return t("event.startedAgain", { name, attempt });
    if (kind === "cancelled" || kind === "doubt") return t(`happenings:${kind}`, { name });
    return t(`event.${kind}`, { name, attempt });
  };
  const told = (said: Said): string => {
    const outcome = textOf(said["outcome"]);
    const path = listOf(said["path"]);
    const edits = typeof said["edits"] === "object" && said["edits"] !== null ? Object.entries(said["edits"]) : [];
    return [
      // The builder's own name for it is shown as it is.
      textOf(said["called"]) || outcome && (i18n.exists(`runs:people.outcome.${outcome}`) ? t(`people.outcome.${outcome}`) : outcome),
      textOf(said["comment"]) && t("happenings:quoted", { text: textOf(said["comment"]) }),
      textOf(said["reason"]) && t("trail:reason", { reason: textOf(said["reason"]) }),
      said["undo"] === true && t("happenings:withUndo"),
      listOf(said["add"]).length > 0 && t("happenings:added", { tags: listOf(said["add"]).join(", ") }),
      listOf(said["remove"]).length > 0 && t("happenings:removed", { tags: listOf(said["remove"]).join(", ") }),
      path.length > 0 && [said["side"] === "input" ? t("tab.input") : t("tab.output"), ...path].join(" › "),
      textOf(said["to"]) && t("happenings:to", { to: textOf(said["to"]) }),
      typeof said["version"] === "number" && t("trail:onVersion", { version: said["version"] }),
      ...edits.map(([node, fields]) => t("happenings:edited", { name: nameOf(node), fields: listOf(fields).join(", ") })),
    ]
      .filter(Boolean)
      .join(" · ");
  };
  return { say, detail: (event) => (event.deed === null ? (localNote(event.detail, format) ?? "") : told(event.said)) };
}
