import { useState } from "react";

export const SORTS = ["due", "amount", "age"] as const;
export type Sort = (typeof SORTS)[number];

const KEY = "millrace.inboxSort";

/** What a computer has kept, of what there is. */
export const sortOf = (kept: string | null): Sort => SORTS.find((one) => one === kept) ?? "due";

function keptSort(): Sort {
  try {
    return sortOf(localStorage.getItem(KEY));
  } catch {
    return "due";
  }
}

/** In which order open questions are listed; what somebody chooses is kept on this computer. */
export function useSort(): [Sort, (sort: Sort) => void] {
  const [sort, setSort] = useState(keptSort);
  return [
    sort,
    (next) => {
      setSort(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // Storage can be forbidden; then it holds as long as the page is open.
      }
    },
  ];
}
