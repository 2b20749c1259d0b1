import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeAll, describe, expect, it } from "vitest";

import { parseExact } from "../../graph/exact";
import { i18n } from "../../i18n";
import { DataView, labelOf } from "./DataView";

beforeAll(async () => {
  await i18n.loadNamespaces("runs");
});

function show(value: unknown) {
  render(
    <MantineProvider env="test">
      <DataView value={value} empty="Nothing here." />
    </MantineProvider>,
  );
}

describe("data for people", () => {
  it("names fields in words", () => {
    expect(labelOf("customer_name")).toBe("Customer name");
    expect(labelOf("invoiceDate")).toBe("Invoice date");
    expect(labelOf("ID")).toBe("ID");
  });

  it("shows lists of similar objects as a table", () => {
    show({ lines: [{ sku: "A", price: 6.75 }, { sku: "B", price: 29.3 }] });
    expect(screen.getAllByRole("row")).toHaveLength(3);
    expect(screen.getByRole("columnheader", { name: "Sku" })).toBeTruthy();
  });

  it("shows amounts with the digits they were sent with", () => {
    show(parseExact('{"total": 10.50}'));
    expect(screen.getByText("10.50")).toBeTruthy();
  });

  it("never runs or renders markup that stands in the data", () => {
    show({ note: "<img src=x onerror=alert(1)>" });
    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
  });

  it("shows the exact JSON one click away", async () => {
    show({ a: 1 });
    await userEvent.click(screen.getByRole("radio", { name: "JSON" }));
    expect(document.querySelector("pre")?.textContent).toBe('{\n  "a": 1\n}');
  });

  it("says why there is nothing", () => {
    show(null);
    expect(screen.getByText("Nothing here.")).toBeTruthy();
  });

  it("copies how the editor writes a value, from its row, by the keyboard too", async () => {
    const user = userEvent.setup();
    render(
      <MantineProvider env="test">
        <DataView value={{ total: 3, lines: [{ sku: "A" }, { sku: "B" }] }} empty="" pathOf={(path) => `{{ steps.order.${path.join(".")} }}`} />
      </MantineProvider>,
    );
    screen.getByRole("button", { name: "Copy path: {{ steps.order.total }}" }).focus();
    await user.keyboard("{Enter}");
    expect(await navigator.clipboard.readText()).toBe("{{ steps.order.total }}");
    await user.click(screen.getByRole("button", { name: "Copy path: {{ steps.order.lines.1 }}" }));
    expect(await navigator.clipboard.readText()).toBe("{{ steps.order.lines.1 }}");
  });

  it("shows what is looked for, however deep it lies, and counts it", async () => {
    const data = { supplier: "Brinkmann", total: 3, deep: { a: { b: { c: { d: "Brinkmann, too" } } } } };
    render(
      <MantineProvider env="test">
        <DataView value={data} empty="" searchable />
      </MantineProvider>,
    );
    const box = screen.getByRole("textbox", { name: "Search in these values" });
    await userEvent.type(box, "brink");
    expect(screen.getByText("2 hits")).toBeTruthy();
    expect(screen.getByText("Brinkmann, too")).toBeTruthy();
    expect(screen.queryByText("Total")).toBeNull();
    await userEvent.clear(box);
    await userEvent.type(box, "nowhere");
    expect(screen.getByText("No name and no value fits. Sensitive values are not looked into.")).toBeTruthy();
  });
});
