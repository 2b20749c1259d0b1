import { MantineProvider } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Suspense, useEffect } from "react";

import { ApiError } from "../api/client";
import { useTheme } from "../ui";
import { makeRouter } from "./router";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays a refusal; only a server that is away is worth asking again.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
      refetchOnWindowFocus: true,
    },
  },
});
const router = makeRouter(queries);

/** Short messages, where they cover no button: not the foot of the panel, nor of a sheet on a phone. */
function Toasts() {
  const phone = useMediaQuery("(max-width: 899px)");
  return <Notifications position={phone ? "top-center" : "bottom-center"} limit={4} zIndex={500} />;
}

export function App() {
  const theme = useTheme();
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    // Variables and classes come from style sheets: the content policy allows no styles written into the page.
    <MantineProvider forceColorScheme={theme} withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <Suspense fallback={null}>
          <RouterProvider router={router} />
        </Suspense>
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}
