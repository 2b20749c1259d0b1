import { useEffect } from "react";

interface Pages {
  hasNextPage: boolean;
  isFetching: boolean;
  isError: boolean;
  fetchNextPage: () => unknown;
}

/** Reads page after page for as long as more is wanted. After a refusal it stops: to ask again is for the reader. */
export function useReadOn({ hasNextPage, isFetching, isError, fetchNextPage }: Pages, wanted: boolean): boolean {
  const readsOn = wanted && hasNextPage && !isError;
  useEffect(() => {
    if (readsOn && !isFetching) void fetchNextPage();
  }, [readsOn, isFetching, fetchNextPage]);
  return readsOn;
}
