import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { type Became, readQueue, sendQueued, useQueue } from "../api/decisionQueue";
import { refreshInbox } from "../api/queries";
import { useUser, useWorkspace } from "../api/session";
import { useSaid } from "../pages/inbox/said";
import { showToast } from "../ui";

const AGAIN_MS = 15_000;

/** Sends what waits: at once, whenever the network comes back, and now and then. */
function useSending(told: (became: Became) => void): void {
  const user = useUser().id;
  const latest = useRef(told);
  useEffect(() => {
    latest.current = told;
  });
  const waits = useQueue((state) => Object.keys(state.queued).length > 0);
  useEffect(() => {
    void readQueue(user);
  }, [user]);
  useEffect(() => {
    if (!waits) return;
    const send = () => {
      if (navigator.onLine) void sendQueued(user, (became) => latest.current(became));
    };
    send();
    const timer = setInterval(send, AGAIN_MS);
    window.addEventListener("online", send);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", send);
    };
  }, [waits, user]);
}

/** Sends the decisions that were taken without a network, on whatever page the person is, and tells of it. */
export default function Sending() {
  const { t } = useTranslation("inbox");
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const said = useSaid();
  useSending(({ queued, error }) => {
    const words = said(queued.answer.outcome, queued.named);
    if (error) showToast({ aside: true, tone: "err", title: t("offline.notTaken", { said: words, title: queued.title }), text: t("offline.seeInbox") });
    else showToast({ aside: true, title: t("offline.sent", { said: words }), text: queued.title });
    void refreshInbox(client, workspace);
    void client.invalidateQueries({ queryKey: [workspace, "runs"] });
  });
  return null;
}
