import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { showToast } from "../../ui";
import { keepSample } from "./sample";

/** Has the test of a workflow begin with this body, and goes to where it is tested. */
export function useSample(): (workflow: string, body: string) => void {
  const { t } = useTranslation("events");
  const navigate = useNavigate();
  return (workflow, body) => {
    keepSample(workflow, body);
    showToast({ title: t("sample.kept"), text: t("sample.text") });
    void navigate({ to: "/workflows/$id/build", params: { id: workflow } });
  };
}
