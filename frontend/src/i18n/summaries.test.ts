import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { i18nReady, setLanguage } from ".";
import { summaryText, workflowText } from "./summaries";

const told = (type: string, text: string, config: Record<string, unknown> = {}) => summaryText({ type: `${type}@1`, config }, text);
const rule = (op: string, left: unknown = "{{ item.a }}") => ({ left, op, right: "1" });

describe("the second line of a card", () => {
  beforeAll(async () => {
    await i18nReady;
    await setLanguage("de", false);
  });
  afterAll(() => setLanguage("en", false));

  it("is told in German, and values stay", () => {
    expect(told("email.send", "To ann@example.com: Your order")).toBe("An ann@example.com: Your order");
    expect(told("email.send", "To ann@example.com")).toBe("An ann@example.com");
    expect(told("flow.wait", "2 days")).toBe("2 Tage");
    expect(told("flow.wait", "Until Invoice › Due")).toBe("Bis Invoice › Due");
    expect(told("flow.for_each", "Order › Lines, 4 at a time")).toBe("Order › Lines, 4 zugleich");
    expect(told("flow.for_each", "Item › Lines")).toBe("Element › Lines");
    expect(told("flow.respond", "Status 200 with number, total")).toBe("Status 200 mit number, total");
    expect(told("trigger.webhook", "POST, PUT, signed (GitHub)")).toBe("POST, PUT, signiert (GitHub)");
    expect(told("trigger.webhook", "Any method from anyone with the address")).toBe("Jede Methode von allen, die die Adresse haben");
    expect(told("trigger.schedule", "Monday to Friday at 08:30 (Europe/Berlin)")).toBe("Montag bis Freitag um 08:30 (Europe/Berlin)");
    expect(told("data.reconcile", "Bank with Ledger, by number and date")).toBe("Bank mit Ledger, nach number und date");
    expect(told("people.ask", "Asks somebody: Which one?")).toBe("Fragt jemanden: Which one?");
    expect(told("http.request", "GET api.example.com/orders")).toBe("GET api.example.com/orders");
  });

  it("says what conditions ask for", () => {
    const conditions = { match: "all", rules: [rule("gt"), rule("is_empty"), rule("in_last_days")] };
    expect(told("flow.decision", "A is more than 1 and B is empty and C is in the last 3 days", { conditions })).toBe(
      "A ist mehr als 1 und B ist leer und C liegt in den letzten 3 Tagen",
    );
    const either = { match: "any", rules: [rule("eq"), { left: "", op: "ne" }, rule("between")] };
    expect(told("flow.continue_if", "A is 1 or B is between 1 and 2", { conditions: either })).toBe("A ist 1 oder B liegt zwischen 1 und 2");
    const rows = { match: "all", conditions: [{ column: "Limit", operator: "gte" }, { column: "Name", operator: "starts" }] };
    expect(told("tables.find", "Limit ≥ 10 and Name begins with A", rows)).toBe("Limit ≥ 10 und Name beginnt mit A");
    expect(told("tables.find", "All rows", { conditions: [] })).toBe("Alle Zeilen");
    expect(told("flow.repeat", "Until Item › Status is “ready”, at most 20 times")).toBe("Bis Element › Status ist „ready“, höchstens 20-mal");
  });

  it("says what becomes of fields", () => {
    const config = { fields: [{ name: "net", value: "{{ item.a }}" }], rename: [{ name: "no", to: "number" }], remove: ["x", "y"], keep: [] };
    expect(told("data.edit_fields", "Sets net to Item › A, renames no to number, removes x, y", config)).toBe(
      "Setzt net auf Element › A, benennt no in number um, entfernt x, y",
    );
    const many = { fields: [{ name: "customer" }, { name: "net" }], rename: [], remove: [], keep: ["a very long name of a field", "another very long name"] };
    expect(told("data.edit_fields", "Sets customer, net, keeps only a very long name of a field,…", many)).toBe(
      "Setzt customer, net, behält nur a very long name of a field…",
    );
  });

  it("says in one line what a workflow does", () => {
    expect(workflowText("Every day at 02:30 (Europe/Berlin): Fetch, Book, and 3 more")).toBe("Jeden Tag um 02:30 (Europe/Berlin): Fetch, Book und 3 weitere");
    expect(workflowText("Asks for Supplier, Amount or POST from anyone with the address: Fetch")).toBe(
      "Fragt nach Supplier, Amount oder POST von allen, die die Adresse haben: Fetch",
    );
    expect(workflowText("At 08:30, Monday through Friday: Fetch, Book, and 3 more")).toBe("Um 08:30, Montag bis Freitag: Fetch, Book und 3 weitere");
    expect(workflowText("A button without questions")).toBe("Eine Schaltfläche ohne Fragen");
    for (const other of ["Every Monday at 08:00 until 2026-13-45: Fetch", "Every Monday at 08:00 until 2026-02-31", "Orders: Fetch", "Every day at 02:30 or something else: Fetch"]) expect(workflowText(other)).toBe(other);
  });

  it("tells several starts apart, however often people write or", () => {
    const button = "A button without questions";
    const german = "Eine Schaltfläche ohne Fragen";
    expect(workflowText([button, button, button].join(" or "))).toBe([german, german, german].join(" oder "));
    const name = Array.from({ length: 80 }, () => "a").join(" or ");
    expect(workflowText(`${name}: Fetch`)).toBe(`${name}: Fetch`);
    expect(workflowText(`Asks for ${name}`)).toBe(`Fragt nach ${name}`);
  });

  it("is never half German", () => {
    const nested = { match: "all", rules: [rule("gt"), { match: "any", rules: [rule("eq"), rule("eq")] }] };
    const long = "A is more than 1 and (B is 1 or C is 2)";
    expect(told("flow.decision", long, { conditions: nested })).toBe(long);
    const cut = "The name of the customer is more than 1 and the other name o…";
    expect(told("flow.decision", cut, { conditions: { match: "all", rules: [rule("gt"), rule("gt")] } })).toBe(cut);
    const formula = "Until Item › A is 1 and Item › B is 2, at most 5 times";
    expect(told("flow.repeat", formula)).toBe(formula);
    expect(told("trigger.schedule", "At 08:30 AM")).toBe("At 08:30 AM");
    expect(told("somebody.elses", "To do")).toBe("To do");
  });
});

it("stays as it is in English", () => {
  expect(told("email.send", "To ann@example.com")).toBe("To ann@example.com");
});
