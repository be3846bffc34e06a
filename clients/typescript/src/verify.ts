import { WebhookVerificationFailed } from "./errors.js";
import { bytesOf } from "./sources.js";

/** The message of a webhook. */
export interface WebhookMessage {
  /** `document.ready`, `document.failed`, `document.cancelled`, `upsert.success`, `upsert.fail` or `webhook.test`. */
  type: string;
  timestamp?: string;
  data?: Record<string, unknown>;
  [name: string]: unknown;
}

export interface VerifyOptions {
  /** How far the timestamp may be from now; default 300 seconds. */
  toleranceSeconds?: number | undefined;
  /** The current time in milliseconds; default: that of the clock. */
  now?: number | undefined;
}

type Body = string | Uint8Array | ArrayBuffer;
type HeaderValues = Headers | Record<string, string | string[] | undefined>;

/**
 * Return the message of a webhook if it is genuine (https://www.standardwebhooks.com); throw `WebhookVerificationFailed` otherwise.
 * `body` is the body as it was received, before anything has parsed it.
 */
export async function verifyWebhook(body: Body, headers: HeaderValues, secret: string, options: VerifyOptions = {}): Promise<WebhookMessage> {
  const id = valueOf(headers, "webhook-id");
  const timestamp = valueOf(headers, "webhook-timestamp");
  const signatures = valueOf(headers, "webhook-signature");
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookVerificationFailed("The timestamp is not a number.");
  const now = (options.now ?? Date.now()) / 1000;
  if (Math.abs(now - Number(timestamp)) > (options.toleranceSeconds ?? 300)) {
    throw new WebhookVerificationFailed("The timestamp is too far from now.");
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const prefix = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(prefix.length + bytes.length);
  signed.set(prefix);
  signed.set(bytes, prefix.length);
  if (!(await isSigned(signed, signatures, secret))) throw new WebhookVerificationFailed("The signature does not match.");
  try {
    const message: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof message === "object" && message !== null) return message as WebhookMessage;
  } catch {
    // not JSON
  }
  throw new WebhookVerificationFailed("The body is not a JSON object.");
}

async function isSigned(signed: Uint8Array<ArrayBuffer>, signatures: string, secret: string): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", keyOf(secret), algorithm, false, ["verify"]);
  for (const signature of signatures.split(" ").slice(0, 20)) {
    if (!signature.startsWith("v1,")) continue;
    try {
      if (await crypto.subtle.verify("HMAC", key, bytesOf(signature.slice(3)), signed)) return true;
    } catch {
      // not base64
    }
  }
  return false;
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  try {
    const key = bytesOf(secret.replace(/^whsec_/, ""));
    if (key.length > 0) return key;
  } catch {
    // not base64
  }
  throw new TypeError("The secret of a webhook is whsec_ and base64");
}

function valueOf(headers: HeaderValues, name: string): string {
  let value: string | string[] | null | undefined;
  if (typeof (headers as Headers).get === "function") value = (headers as Headers).get(name);
  else value = Object.entries(headers as Record<string, string>).find(([key]) => key.toLowerCase() === name)?.[1];
  if (typeof value !== "string" || value === "") throw new WebhookVerificationFailed(`The header ${name} is missing.`);
  return value;
}
