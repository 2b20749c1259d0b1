import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { i18nReady, setLanguage } from ".";
import { clockText, scheduleText } from "./schedules";
import { failureMessage, failureNamed, failureTitle, reasonText, taskTitle } from "./server";

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

  it("is told where nobody says under which code", () => {
    expect(failureNamed("The data was refused")).toBe("Die Daten wurden abgelehnt");
    expect(failureNamed("The bank said no")).toBe("The bank said no");
    expect(taskTitle({ kind: "exception", step: "Pay", title: "Pay: Not found" })).toBe("Pay: Nicht gefunden");
    expect(taskTitle({ kind: "approval", step: "Pay", title: "Pay: Not found" })).toBe("Pay: Not found");
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

  it("says what becomes of a start where the clocks change", () => {
    expect(clockText("On 2027-03-28 clocks go forward and 02:30 does not exist: it starts at 03:00.")).toBe(
      "Am 28.03.2027 wird die Uhr vorgestellt, und 02:30 gibt es nicht: Es startet um 03:00.",
    );
  });

  it("says how often a schedule starts, and never half of it", () => {
    expect(scheduleText("Every 2 minutes")).toBe("Alle 2 Minuten");
    expect(scheduleText("Every day at 02:30")).toBe("Jeden Tag um 02:30");
    expect(scheduleText("On working day 3 of the month at 07:00")).toBe("Am 3. Arbeitstag des Monats um 07:00");
    expect(scheduleText("Every 2 weeks on Tuesday at 07:00")).toBe("Alle 2 Wochen am Dienstag um 07:00");
    expect(scheduleText("Monday, Wednesday and Friday at 07:00")).toBe("Montag, Mittwoch und Freitag um 07:00");
    expect(scheduleText("On the last Friday of the month at 17:00 until 2027-01-01")).toBe("Am letzten Freitag des Monats um 17:00 bis 01.01.2027");
    expect(scheduleText("Every day at 02:30 and every hour and monday to Friday at 04:30")).toBe("Jeden Tag um 02:30 und jede Stunde und Montag bis Freitag um 04:30");
    expect(scheduleText("On working day 2 of the month at 07:00 and every day at 08:00, or on the next working day (calendar “Our and days”) until 2027-02-01")).toBe(
      "Am 2. Arbeitstag des Monats um 07:00 und jeden Tag um 08:00, sonst am nächsten Arbeitstag (Kalender „Our and days“) bis 01.02.2027",
    );
    expect(scheduleText("Every day at 02:30 (Europe/Berlin)")).toBe("Jeden Tag um 02:30 (Europe/Berlin)");
    for (const long of ["At 08:30, Monday through Friday", "Every day at 02:30 and at 30 minutes past the hour", "Every day at 02:30 until it rains"]) expect(scheduleText(long)).toBe(long);
  });
});

it("stays as it is in English", () => {
  expect(clockText("On 2027-03-28 clocks go forward and a time is left out: it starts at 03:00.")).toContain("On 2027-03-28");
  expect(failureTitle(failed("http_422", "The data was refused"))).toBe("The data was refused");
});
