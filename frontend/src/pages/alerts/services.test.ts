import { describe, expect, it } from "vitest";

import { i18n, i18nReady } from "../../i18n";
import { addressOf, loadServices, matching, refusalOf, type Service } from "./services";

const services = await loadServices();
const called = (name: string): Service => {
  const found = services.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("the address of a service", () => {
  it("is written as its fields need it", () => {
    expect(addressOf(called("ntfy"), { host: "https://ntfy.example.com/", token: "tk_1", targets: "ops, night" })).toEqual({ address: "ntfys://tk_1@ntfy.example.com/ops/night" });
    expect(addressOf(called("ntfy"), { topic: "ops" })).toEqual({ address: "ntfys://ops" });
    expect(addressOf(called("Telegram"), { bot_token: "123:AA/b", targets: "-1001\n@ops" })).toEqual({ address: "tgram://123%3AAA%2Fb/-1001/%40ops" });
    expect(addressOf(called("Pushover"), { user_key: "u", token: "t" })).toEqual({ address: "pover://u@t" });
  });

  it("is without encryption only where that is asked for", () => {
    expect(addressOf(called("Gotify"), { host: "h", token: "t" })).toEqual({ address: "gotifys://h/t" });
    expect(addressOf(called("Gotify"), { host: "h", token: "t", port: "8080" }, false)).toEqual({ address: "gotify://h:8080/t" });
    expect(addressOf(called("Gotify"), { host: "h", token: "t", path: "a/b" })).toEqual({ address: "gotifys://h/a/b/t" });
    expect(addressOf(called("Pushover"), { user_key: "u", token: "t" }, false)).toEqual({ address: "pover://u@t" });
  });

  it("says what is missing for it", () => {
    expect(addressOf(called("Pushover"), { token: "t" })).toEqual({ missing: ["user_key"] });
    expect(addressOf(called("Gotify"), {})).toEqual({ missing: ["host", "token"] });
    expect(addressOf(called("Gotify"), { host: "h", port: "80" })).toEqual({ missing: ["token"] });
  });

  it("can be written for every service by its own fields", () => {
    for (const one of services.filter(({ templates }) => templates.length > 0)) {
      for (const template of one.templates) {
        const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).filter((name) => name !== "schema");
        const found = addressOf(one, Object.fromEntries(names.map((name) => [name, "1"])));
        expect(found, `${one.name} ${template}`).toHaveProperty("address");
      }
    }
  });
});

it("a service is found by its name or by its scheme", () => {
  expect(matching(services, "pager").map((one) => one.name)).toEqual(["Pager Duty", "PagerTree"]);
  expect(matching(services, "tgram").map((one) => one.name)).toEqual(["Telegram"]);
  expect(matching(services, "micro teams").map((one) => one.name)).toEqual(["Microsoft Teams"]);
  expect(matching(services, "")).toHaveLength(services.length);
});

it("why an address is refused is said in the language of the person", async () => {
  const said = "“Address”: mail goes to the people of a channel, by its mail server. Choose them there.";
  await i18nReady;
  await i18n.changeLanguage("de");
  await i18n.loadNamespaces("server");
  expect(refusalOf(said)).toMatch(/^Mails gehen an die Personen eines Kanals/);
  expect(refusalOf("“Address”: something else.")).toBe("something else.");
  await i18n.changeLanguage("en");
});
