import { lazyRouteComponent } from "@tanstack/react-router";

import { i18n } from "../i18n";

/** Loads a screen together with its texts, so that neither waits for the other. */
export function screen<M extends Record<string, unknown>>(load: () => Promise<M>, ...namespaces: string[]) {
  return lazyRouteComponent(async () => {
    const [module] = await Promise.all([load(), i18n.loadNamespaces(namespaces)]);
    return module;
  });
}
