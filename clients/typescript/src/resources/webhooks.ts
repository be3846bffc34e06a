import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { BodyOf, Delivery, QueryOf, Webhook, WebhookWithSecret } from "../schemas.js";
import { verifyWebhook } from "../verify.js";

/** Notifications to your server. */
export class Webhooks {
  readonly #core: Core;
  /** Return the message of a webhook if it is genuine; needs neither a request nor a key. */
  readonly verify = verifyWebhook;

  constructor(core: Core) {
    this.#core = core;
  }

  list(params: { limit?: number } = {}, options: RequestOptions = {}): List<Webhook> {
    return listOf(this.#core, "listWebhooks", { query: params }, options);
  }

  /** The answer has the secret, only this once. */
  create(url: string, params: Omit<BodyOf<"createWebhook">, "url"> = {}, options: RequestOptions = {}): Promise<WebhookWithSecret> {
    return this.#core.call("createWebhook", { body: { ...params, url } }, options);
  }

  get(id: number, options: RequestOptions = {}): Promise<Webhook> {
    return this.#core.call("getWebhook", { path: { webhook_id: id } }, options);
  }

  update(id: number, changes: BodyOf<"updateWebhook">, options: RequestOptions = {}): Promise<Webhook> {
    return this.#core.call("updateWebhook", { path: { webhook_id: id }, body: changes }, options);
  }

  delete(id: number, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("deleteWebhook", { path: { webhook_id: id } }, options);
  }

  /** Create a new secret; both sign for `overlap_hours`, 24 by default. */
  rotateSecret(id: number, params: BodyOf<"rotateWebhookSecret"> = {}, options: RequestOptions = {}): Promise<WebhookWithSecret> {
    return this.#core.call("rotateWebhookSecret", { path: { webhook_id: id }, body: params }, options);
  }

  /** Send a `webhook.test`. */
  test(id: number, options: RequestOptions = {}): Promise<Delivery> {
    return this.#core.call("testWebhook", { path: { webhook_id: id } }, options);
  }

  deliveries(id: number, params: Omit<QueryOf<"listWebhookDeliveries">, "cursor"> = {}, options: RequestOptions = {}): List<Delivery> {
    return listOf(this.#core, "listWebhookDeliveries", { path: { webhook_id: id }, query: params }, options);
  }

  /** Send a message again. */
  replay(id: number, deliveryId: number, options: RequestOptions = {}): Promise<Delivery> {
    return this.#core.call("replayWebhookDelivery", { path: { webhook_id: id, delivery_id: deliveryId } }, options);
  }
}
