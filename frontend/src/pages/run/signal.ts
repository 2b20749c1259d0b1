/** What the output of a step that waited for a signal says of what moved it on. */
import type { Json } from "../../api/types";

export function cameBy(type: string, output: Json | undefined): { by: string; at: string } | null {
  if (!/^flow\.wait_(signal|event)@/.test(type)) return null;
  if (typeof output !== "object" || output === null || Array.isArray(output)) return null;
  const { by, at } = output as { readonly [name: string]: Json };
  return typeof by === "string" && typeof at === "string" ? { by, at } : null;
}
