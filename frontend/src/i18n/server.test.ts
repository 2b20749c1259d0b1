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
    for (const long of ["Every day at 02:30 and now and then", "Every day at 02:30 until it rains", "At 08:30, Monday through Never", "At 08:30 and sometimes"]) expect(scheduleText(long)).toBe(long);
  });
});

describe("a cron expression in words", () => {
  beforeAll(async () => {
    await i18nReady;
    await setLanguage("de", false);
  });
  afterAll(() => setLanguage("en", false));

  it.each([
    ["At 08:30, Monday through Friday", "Um 08:30, Montag bis Freitag"],
    ["Every 10 minutes, between 06:00 and 18:59, only on Monday and Wednesday", "Alle 10 Minuten, zwischen 06:00 und 18:59, nur am Montag und Mittwoch"],
    ["At 00:00, on day 1 of the month, only in January, April, July, and October", "Um 00:00, am 1. des Monats, nur im Januar, April, Juli und Oktober"],
    ["At 08:00, 12:00 and 18:00", "Um 08:00, 12:00 und 18:00"],
    ["At 0 and 30 minutes past the hour, between 08:00 and 18:59, Monday through Friday", "In Minute 0 und 30 der Stunde, zwischen 08:00 und 18:59, Montag bis Freitag"],
    ["At 1 and 5 through 10 minutes past the hour", "In Minute 1 und 5 bis 10 der Stunde"],
    ["At 0, 15, and 30 seconds past the minute, at 30 minutes past the hour, at 08:00", "In Sekunde 0, 15 und 30 der Minute, in Minute 30 der Stunde, um 08:00"],
    ["At 08:00, on day 1 and 5 through 10 of the month, or on Monday", "Um 08:00, am 1. und 5. bis 10. des Monats, oder am Montag"],
    ["At 00:00, on the last Friday of the month", "Um 00:00, am letzten Freitag des Monats"],
    ["At 08:00, every 2 days, between day 10 and 20 of the month", "Um 08:00, alle 2 Tage, vom 10. bis 20. des Monats"],
    ["Every 15 minutes, starting at 5 minutes past the hour", "Alle 15 Minuten, ab Minute 5 der Stunde"],
    ["At 08:00, every 2 weeks, only on Friday (Europe/Berlin)", "Um 08:00, alle 2 Wochen, nur am Freitag (Europe/Berlin)"],
    ["At 08:30, Monday through Friday and every hour and at 30 minutes past the hour until 2027-02-01", "Um 08:30, Montag bis Freitag und jede Stunde und in Minute 30 der Stunde bis 01.02.2027"],
    ["At 08:30, Monday through Friday, on working days only", "Um 08:30, Montag bis Freitag, nur an Arbeitstagen"],
  ])("%s", (text, told) => {
    expect(scheduleText(text)).toBe(told);
  });

  it("is told however long it is", () => {
    const all = (count: number) => [...Array(count - 1).keys()].join(", ") + `, and ${count - 1}`;
    expect(scheduleText(`At ${all(60)} minutes past the hour, on day ${all(31)} of the month`)).toMatch(/^In Minute 0, 1, .* und 59 der Stunde, am 0\., .* und 30\. des Monats$/);
  });
});

it("stays as it is in English", () => {
  expect(clockText("On 2027-03-28 clocks go forward and a time is left out: it starts at 03:00.")).toContain("On 2027-03-28");
  expect(failureTitle(failed("http_422", "The data was refused"))).toBe("The data was refused");
});
