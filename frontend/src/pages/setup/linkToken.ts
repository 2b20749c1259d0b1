import { useRouterState } from "@tanstack/react-router";

/**
 * The one-time token of the link that led here. It stands after the `#`, which browsers send to no server, so that it
 * reaches no log; an older link may have it in the query.
 */
export function useLinkToken(): string | undefined {
  return useRouterState({
    select: ({ location }) => {
      const fragment = new URLSearchParams(location.hash.replace(/^#/, "")).get("token");
      const query = (location.search as { token?: string }).token;
      return fragment ?? query;
    },
  });
}
