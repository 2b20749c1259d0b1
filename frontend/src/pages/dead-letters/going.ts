import type { BulkRetry } from "../../api/bulkRetries";

/** Whether further ones may still be begun. */
export function isGoing(bulk: Pick<BulkRetry, "status">): boolean {
  return bulk.status === "trying" || bulk.status === "waiting" || bulk.status === "running";
}

/** The workflows of which another version is live by now than the one with which it goes on. */
export function goesOnOlder(bulk: Pick<BulkRetry, "held_to">): BulkRetry["held_to"] {
  return bulk.held_to.filter(({ version, live }) => live !== null && live !== version);
}
