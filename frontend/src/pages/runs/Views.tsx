import { useTranslation } from "react-i18next";

import { useRunViews, useRunViewWrites } from "../../api/runSearch";
import { useCan } from "../../api/session";
import { SavedViews } from "../views/SavedViews";
import { fromSaved, isFiltered, type RunListSearch, sameSearch, TO_LOOK_AFTER } from "./search";

/** Searches for runs under names: "All", what to look after, and what people have saved. `ofAll`: of the list of all
 * runs, which can be opened with one of them. */
export function Views({ search, ofAll, onChoose }: { search: RunListSearch; ofAll: boolean; onChoose: (search: RunListSearch) => void }) {
  const { t } = useTranslation("runs");
  const views = useRunViews().data ?? [];
  const { openWith, ...writes } = useRunViewWrites();
  return (
    <SavedViews
      search={search}
      views={views.map((view) => ({ ...view, search: fromSaved(view.search), first: ofAll && view.first }))}
      fixed={[
        { label: t("views.all"), search: {} },
        { label: t("views.toLookAfter"), search: TO_LOOK_AFTER },
      ]}
      same={sameSearch}
      onChoose={onChoose}
      writes={ofAll ? { ...writes, openWith } : writes}
      mayShare={useCan("reviewer")}
      worth={isFiltered(search) || search.sort !== undefined}
    />
  );
}
