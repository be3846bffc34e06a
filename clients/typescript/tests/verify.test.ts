import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { verifyWebhook } from "../src/index.js";

const SECRET = `whsec_${Buffer.from("a secret of 24 bytes....").toString("base64")}`;
const BODY = '{"type": "document.ready", "data": {"pages": 3}, "name": "ü"}';
const NOW = 1_763_717_412_000;

function signed(body = BODY, secret = SECRET, timestamp = String(NOW / 1000)) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`msg_1.${timestamp}.${body}`).digest("base64");
  return { "Webhook-Id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": `v1,AAAA v1a,xyz v1,${signature}` };
}

test.each([
  ["text", BODY],
  ["bytes", new TextEncoder().encode(BODY)],
  ["a Buffer", Buffer.from(BODY)],
])("returns the message of %s that is genuine", async (_, body) => {
  expect(await verifyWebhook(body, signed(), SECRET, { now: NOW })).toMatchObject({ type: "document.ready", name: "ü" });
  expect(await verifyWebhook(body, new Headers(signed()), SECRET, { now: NOW + 299_000 })).toHaveProperty("data.pages", 3);
});

test.each<[string, string, Record<string, string>, number]>([
  ["another body", `${BODY} `, signed(), NOW],
  ["another secret", BODY, signed(BODY, `whsec_${Buffer.from("other").toString("base64")}`), NOW],
  ["another id", BODY, { ...signed(), "Webhook-Id": "msg_2" }, NOW],
  ["an old timestamp", BODY, signed(), NOW + 301_000],
  ["a timestamp of the future", BODY, signed(), NOW - 301_000],
  ["no timestamp", BODY, signed(BODY, SECRET, "soon"), NOW],
  ["no signature", BODY, { ...signed(), "webhook-signature": "" }, NOW],
  ["a signature that is no base64", BODY, { ...signed(), "webhook-signature": "v1,%%%" }, NOW],
  ["a list", "[]x", signed("[]x"), NOW],
])("refuses %s", async (_, body, headers, now) => {
  await expect(verifyWebhook(body, headers, SECRET, { now })).rejects.toMatchObject({ name: "WebhookVerificationFailed" });
});

test.each(["", "whsec_", "whsec_%%%"])("refuses the secret %j, with which anybody could sign", async (secret) => {
  await expect(verifyWebhook(BODY, signed(BODY, "whsec_"), secret, { now: NOW })).rejects.toThrow(TypeError);
});
