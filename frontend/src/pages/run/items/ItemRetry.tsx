import { useTranslation } from "react-i18next";

import { useNodeTypes } from "../../../api/queries";
import { useWorkspace } from "../../../api/session";
import type { RunItem, StepSpec } from "../../../api/types";
import { RunStoreProvider, useLiveRun, useRun } from "../../../live";
import { Dialog, ErrorCard, SkeletonRows } from "../../../ui";
import { RetryForm } from "../RetryForm";

const NO_SPECS: Readonly<Record<string, StepSpec>> = {};

interface ItemRetryProps {
  item: RunItem;
  /** How the item is called. */
  name: string;
  onClose: () => void;
  onChanged: () => void;
}

/** An item is gone on with from the list it stands in: the same plan as on the page of its own run. */
export default function ItemRetry({ item, name, onClose, onChanged }: ItemRetryProps) {
  const { t } = useTranslation(["runs", "items"]);
  const { store, state, reload } = useLiveRun(useWorkspace().id, item.run_id);
  return (
    <Dialog opened onClose={onClose} title={t("items:retryTitle", { name })} size={680}>
      {state.phase === "failed" && <ErrorCard title={t("runFailedToLoad")} error={state.error} onRetry={reload} />}
      {state.phase === "gone" && <p>{t("gone.title")}</p>}
      <RunStoreProvider value={store}>
        <Form
          loading={state.phase === "loading"}
          onClose={onClose}
          onChanged={() => {
            reload();
            onChanged();
          }}
        />
      </RunStoreProvider>
    </Dialog>
  );
}

function Form({ loading, onClose, onChanged }: { loading: boolean; onClose: () => void; onChanged: () => void }) {
  const { t } = useTranslation("runs");
  const run = useRun((state) => state.run);
  const specs = useNodeTypes();
  if (loading || specs.isPending) return <SkeletonRows rows={4} label={t("retry.loading")} />;
  if (!run) return null;
  return <RetryForm run={run} start={[]} focus={null} specs={specs.data ?? NO_SPECS} onClose={onClose} onChanged={onChanged} />;
}
