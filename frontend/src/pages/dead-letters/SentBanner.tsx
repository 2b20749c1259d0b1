import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Send, Undo2 } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { endSending, refreshSendings, sawLetters, type SentLetters, useSending } from "../../api/sendings";
import { useWorkspace } from "../../api/session";
import { Button, Card, ErrorCard, showToast, SkeletonRows, useFormatter } from "../../ui";
import { refreshInbox } from "../../api/queries";
import { failedOf, receiverName } from "./sent";
import own from "./sent.module.css";

interface SentBannerProps {
  id: string;
  every: number;
  onPassOn: (sending: SentLetters) => void;
  /** All that failed is shown again. */
  onAll: () => void;
}

/** What was sent to whom, by whom, with which note; how many are left, and what can be said to it. */
export function SentBanner({ id, every, onPassOn, onAll }: SentBannerProps) {
  const { t } = useTranslation(["sent", "people", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const query = useSending(id, every);
  const sending = query.data;
  const end = useMutation({
    mutationFn: (how: "done" | "take-back") => endSending(workspace, id, how),
    onSuccess: (_ended, how) => showToast({ title: t(how === "done" ? "finished" : "takenBack") }),
    onSettled: () => refreshSendings(client, workspace),
  });
  const unread = sending?.unread ?? false;
  useEffect(() => {
    // Where it cannot be said it is said when they are looked at the next time.
    if (unread) sawLetters(workspace, id).then(() => refreshInbox(client, workspace), () => undefined);
  }, [unread, workspace, id, client]);
  if (query.isError && !sending) {
    return (
      <div className={own.banner}>
        <ErrorCard title={t("gone")} error={query.error} />
        <div className={own.buttons}>
          <Button onClick={onAll}>{t("all")}</Button>
        </div>
      </div>
    );
  }
  if (!sending) {
    return (
      <Card>
        <SkeletonRows rows={2} height={22} label={t("loading")} />
      </Card>
    );
  }
  const many = { count: sending.total, number: format.number(sending.total) };
  const about = failedOf(sending);
  const said = { name: receiverName(sending.to, t), by: sending.by ?? t("nobody"), time: format.soon(sending.at, Date.now()) };
  const how = sending.mine ? (sending.to.kind === "person" && !sending.in_place_of ? "toYou" : "toUs") : sending.by_me ? "byYou" : "toOther";
  return (
    <Card padded>
      <section className={own.banner} aria-label={t("title")}>
        <h2>{about ? t("what", { ...many, about }) : t("whatever", many)}</h2>
        <p className={own.facts}>
          {t(how, said)} {sending.in_place_of && t("inPlaceOf", { name: sending.in_place_of.name })}{" "}
          <strong>
            {sending.ended_as
              ? t(`ended.${sending.ended_as}`, { name: sending.ended_by ?? t("nobody"), time: sending.ended_at ? format.soon(sending.ended_at, Date.now()) : "" })
              : t("open", { count: sending.open, number: format.number(sending.open), total: many.number })}
          </strong>
        </p>
        {sending.note && <p className={own.note}>{sending.note}</p>}
        {end.isError && <ErrorCard title={t("failed")} error={end.error} />}
        <div className={own.buttons}>
          {sending.may_finish && (
            <Button variant={sending.mine ? "primary" : "default"} icon={<Check size={15} aria-hidden />} busy={end.isPending && end.variables === "done"} onClick={() => end.mutate("done")}>
              {t("done")}
            </Button>
          )}
          {sending.may_pass_on && (
            <Button icon={<Send size={15} aria-hidden />} onClick={() => onPassOn(sending)}>
              {t("passOn")}
            </Button>
          )}
          {sending.may_take_back && (
            <Button icon={<Undo2 size={15} aria-hidden />} busy={end.isPending && end.variables === "take-back"} onClick={() => end.mutate("take-back")}>
              {t("takeBack")}
            </Button>
          )}
          <Button variant="quiet" onClick={onAll}>
            {t("all")}
          </Button>
        </div>
      </section>
    </Card>
  );
}
