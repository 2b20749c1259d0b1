/** What stands in the place of a screen that is loading, missing or broken. */
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { buttonClass, EmptyState, ErrorCard, SkeletonRows } from "../ui";

export function RoutePending() {
  const { t } = useTranslation("shell");
  return (
    <div style={{ maxWidth: 1240, margin: "64px auto 0", width: "100%" }}>
      <SkeletonRows label={t("loading")} />
    </div>
  );
}

export function NotFound() {
  const { t } = useTranslation("shell");
  return (
    <main style={{ display: "grid", placeContent: "center", minHeight: "70vh" }}>
      <EmptyState
        first
        title={t("notFound.title")}
        text={t("notFound.text")}
        actions={
          <Link to="/" className={buttonClass("primary")}>
            {t("notFound.home")}
          </Link>
        }
      />
    </main>
  );
}

export function RouteCrashed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <div style={{ maxWidth: 560, margin: "15vh auto 0", padding: 16 }}>
      <ErrorCard
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </div>
  );
}
