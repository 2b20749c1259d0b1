import { useMembers } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Member } from "../../api/types";

/** Who is asked, by name where the address is known. */
export function namesOf(people: readonly string[], members: readonly Member[] | undefined): string[] {
  return people.map((email) => members?.find((one) => one.email.toLowerCase() === email.toLowerCase())?.name || email);
}

/** The names of people. Only admins may read who the members are; the others see addresses. */
export function useNames(people: readonly string[]): string {
  const members = useMembers(useCan("admin")).data;
  return namesOf(people, members).join(", ");
}
