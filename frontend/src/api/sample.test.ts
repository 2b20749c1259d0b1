import { expect, it } from "vitest";

import { bodyOfCurl } from "./sample";

it("reads the body of a curl line as the shell would", () => {
  const line = `curl -i -X POST http://x/hooks/a -H 'Content-Type: application/json' -d '{"name":"O'"'"'Neil"}'`;
  expect(bodyOfCurl(line)).toBe('{"name":"O\'Neil"}');
});

it("finds none where there is none, or where it is not JSON", () => {
  expect(bodyOfCurl("curl -i http://x")).toBeNull();
  expect(bodyOfCurl("curl -d '{broken' http://x")).toBeNull();
});
