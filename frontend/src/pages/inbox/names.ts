import type { Asked } from "../../api/tasks";

/** Who is asked, in words; without whoever has this address. */
export function namesOf(asked: readonly Asked[], without = ""): string {
  return asked
    .filter((one) => one.key.toLowerCase() !== without.toLowerCase())
    .map((one) => one.name)
    .join(", ");
}
