import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { i18nReady, setLanguage } from ".";
import { failureMessage, failureTitle, reasonText, scheduleText } from "./server";

const failed = (code: string, title: string, message = title) => ({ code, title, message });

describe("what the server says in English", () => {
  beforeAll(async () => {
    await i18nReady;
    await setLanguage("de", false);
  });
  afterAll(() => setLanguage("en", false));

  it("is told in German by its code", () => {
    expect(failureTitle(failed("http_422", "The data was refused"))).toBe("Die Daten wurden abgelehnt");
    expect(failureTitle(failed("http_503", "The other system is not well"))).toBe("Dem anderen System geht es nicht gut");
    expect(failureTitle(failed("timeout", "It took too long"))).toBe("Es dauerte zu lange");
    expect(failureTitle(failed("run.start_missing", "The start is not there"))).toBe("Den Start gibt es nicht");
    expect(failureTitle(failed("items_failed", "3 of 200 failed"))).toBe("3 von 200 fehlgeschlagen");
  });

  it("keeps what it says of others", () => {
    const message = "ledger answered with status 401 (Unauthorized): “No.\nNot you.” Check the connection.";
    expect(failureMessage(failed("http_401", "Sign-in refused", message))).toBe(
      "ledger antwortete mit Status 401 (Unauthorized): „No.\nNot you.“ Prüfen Sie die Verbindung.",
    );
    expect(failureMessage(failed("http_500", "x", "ledger answered with status … (Server Error)."))).toBe("ledger antwortete mit Status … (Server Error).");
  });

  it("leaves what people wrote themselves, under whatever code", () => {
    expect(failureTitle(failed("timeout", "The bank closed"))).toBe("The bank closed");
    expect(failureTitle(failed("our_own", "It took too long"))).toBe("It took too long");
    expect(failureTitle(failed("constructor", "The bank closed"))).toBe("The bank closed");
  });

  it("says why an event was turned away", () => {
    expect(reasonText("The header x-hub-signature-256 is missing or came twice.")).toBe("Die Kopfzeile x-hub-signature-256 fehlt oder kam zweimal.");
    expect(reasonText("Something new.")).toBe("Something new.");
  });

  it("says how often a schedule starts, and never half of it", () => {
    expect(scheduleText("Every 2 minutes")).toBe("Alle 2 Minuten");
    expect(scheduleText("Every day at 02:30")).toBe("Jeden Tag um 02:30");
    expect(scheduleText("On working day 3 of the month at 07:00")).toBe("Am 3. Arbeitstag des Monats um 07:00");
    for (const long of ["Every day at 02:30 until 2027-01-01", "Every day at 02:30 and every day at 04:30"]) expect(scheduleText(long)).toBe(long);
  });
});

it("stays as it is in English", () => {
  expect(failureTitle(failed("http_422", "The data was refused"))).toBe("The data was refused");
});
