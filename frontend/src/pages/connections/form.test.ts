import { describe, expect, it } from "vitest";

import type { JsonSchema } from "../../api/types";
import { connectionFields, initialValues, missingFields, valuesToSend } from "./form";

const schema: JsonSchema = {
  type: "object",
  required: ["host", "password"],
  properties: {
    password: { type: "string", title: "Password", "x-ui": { widget: "secret", order: 2 } },
    host: { type: "string", title: "Mail server", "x-ui": { order: 1, placeholder: "smtp.example.com" } },
    port: { type: "integer", title: "Port", default: 587, "x-ui": { order: 3 } },
    security: { type: "string", enum: ["tls", "none"], "x-ui": { options: [["tls", "TLS"], ["none", "None"]], order: 4 } },
    hosts: { type: "array", items: { type: "string" }, "x-ui": { advanced: true, widget: "list", order: 5 } },
  },
};
const fields = connectionFields(schema);

describe("the form of a connection", () => {
  it("shows fields in their order, with what kind of input each needs", () => {
    expect(fields.map((field) => [field.name, field.widget, field.secret])).toEqual([
      ["host", "text", false],
      ["password", "text", true],
      ["port", "number", false],
      ["security", "choice", false],
      ["hosts", "list", false],
    ]);
    expect(fields[3]?.options).toEqual([
      { value: "tls", label: "TLS" },
      { value: "none", label: "None" },
    ]);
  });

  it("begins with defaults and never with a secret", () => {
    expect(initialValues(fields, { password: "leaked", host: "a" })).toMatchObject({ password: "", host: "a", port: "587" });
  });

  it("keeps a stored secret that was not typed again", () => {
    const values = initialValues(fields, { host: "a" });
    expect(missingFields(fields, values, ["password"])).toEqual([]);
    expect(missingFields(fields, values)).toEqual(["password"]);
    expect(valuesToSend(fields, values)).not.toHaveProperty("password");
  });

  it("sends numbers as numbers, lists as lists, and null for what was emptied", () => {
    const values = { ...initialValues(fields, { security: "tls" }), host: "a", port: "25", hosts: "x\n\n y ", security: "" };
    expect(valuesToSend(fields, values, { security: "tls" })).toEqual({
      host: "a",
      port: 25,
      hosts: ["x", "y"],
      security: null,
    });
  });
});
