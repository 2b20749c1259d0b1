import { useTranslation } from "react-i18next";

import { useRunViews, useRunViewWrites } from "../../api/runSearch";
import { useCan } from "../../api/session";
import { SavedViews } from "../views/SavedViews";
import { fromSaved, isFiltered, type RunListSearch, sameSearch, TO_LOOK_AFTER } from "./search";

/** Searches for runs under names: "All", what to look after, and what people have saved. */
export function Views({ search, onChoose }: { search: RunListSearch; onChoose: (search: RunListSearch) => void }) {
  const { t } = useTranslation("runs");
  const views = useRunViews().data ?? [];
  return (
    <SavedViews
      search={search}
      views={views.map((view) => ({ ...view, search: fromSaved(view.search) }))}
      fixed={[
        { label: t("views.all"), search: {} },
        { label: t("views.toLookAfter"), search: TO_LOOK_AFTER },
      ]}
      same={sameSearch}
      onChoose={onChoose}
      writes={useRunViewWrites()}
      mayShare={useCan("reviewer")}
      worth={isFiltered(search) || search.sort !== undefined}
    />
  );
}
