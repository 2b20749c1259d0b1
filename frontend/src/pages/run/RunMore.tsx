import { Menu } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ellipsis, FlaskConical, Inbox } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { WholeEvent } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { IconButton, showToast, useErrorText } from "../../ui";
import { useSample } from "../events/useSample";

/** In the bar of a run that an event started: what can be done with that. */
export function RunMore({ run }: { run: Run }) {
  const { t } = useTranslation(["runs", "common"]);
  const workspace = useWorkspace().id;
  const navigate = useNavigate();
  const canBuild = useCan("builder");
  const keep = useSample();
  const errorText = useErrorText();
  const event = run.event_id;
  const copy = useMutation({
    mutationFn: (id: string) => api.get<WholeEvent>(`${workspacePath(workspace)}/events/${id}`),
    onSuccess: ({ body_text }) => {
      if (body_text === null) showToast({ tone: "info", title: t("startEvent.noText"), text: t("startEvent.noTextWhy") });
      else keep(run.workflow.id, body_text);
    },
    onError: (error) => showToast({ tone: "err", title: t("startEvent.failed"), text: errorText(error).title }),
  });
  if (event === null) return null;
  return (
    <Menu position="bottom-end" width={230} withinPortal shadow="md" radius={10} trapFocus withInitialFocusPlaceholder={false} returnFocus>
      <Menu.Target>
        <IconButton variant="default" label={t("common:action.more")} icon={<Ellipsis size={16} />} />
      </Menu.Target>
      <Menu.Dropdown>
        {canBuild && (
          <Menu.Item leftSection={<FlaskConical size={15} aria-hidden />} disabled={copy.isPending} onClick={() => copy.mutate(event)}>
            {t("startEvent.copy")}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<Inbox size={15} aria-hidden />}
          onClick={() => void navigate({ to: "/workflows/$id/events", params: { id: run.workflow.id }, search: { event } })}
        >
          {t("startEvent.open")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
