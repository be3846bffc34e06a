// Written by `npm run generate` from docs/openapi.yaml; do not edit.

export interface paths {
    "/v1/collections/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List collections
         * @description Lists all your collections, oldest first. Long lists are paginated by the `Link` header.
         */
        get: operations["listCollections"];
        put?: never;
        /**
         * Create a collection
         * @description Every document belongs to a collection. Names of collections are unique within your account.
         */
        post: operations["createCollection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/collections/{collection_name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a collection
         * @description The response has an ETag, for `If-None-Match` here and `If-Match` on changes.
         */
        get: operations["getCollection"];
        put?: never;
        post?: never;
        /**
         * Delete a collection and its documents
         * @description Takes effect at once and cannot be undone.
         */
        delete: operations["deleteCollection"];
        options?: never;
        head?: never;
        /**
         * Rename a collection or replace its metadata
         * @description Metadata is replaced, not merged. Null means omitted.
         */
        patch: operations["updateCollection"];
        trace?: never;
    };
    "/v1/collections/{collection_name}/quality/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the search recall of a collection
         * @description In a large scope, sketches choose the pages that are scored. A sample of such searches is repeated exactly by an idle worker; this is the comparison.
         */
        get: operations["getCollectionQuality"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dify/retrieval": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retrieve pages for Dify
         * @description The external-knowledge API of Dify: register `/v1/dify` as its endpoint, and the name of a collection as the external knowledge ID. Costs what the same search costs. Errors also have `error_code` (1001: no `Authorization` header or a malformed one; 1002: the key is not valid or lacks the scope `search`, with status 403 for both; 2001: there is no such collection, 404; otherwise the HTTP status) and `error_msg`.
         */
        post: operations["difyRetrieval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List documents
         * @description Lists one collection, or all, oldest first. Long lists are paginated by the `Link` header.
         */
        get: operations["listDocuments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/{document_name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a document and its state
         * @description `status`, `pages_done` and `error` describe the latest upload; the rest describes what is shown.
         */
        get: operations["getDocument"];
        put?: never;
        post?: never;
        /**
         * Delete a document
         * @description Takes effect at once and cannot be undone.
         */
        delete: operations["deleteDocument"];
        options?: never;
        head?: never;
        /**
         * Rename or move a document, or replace its metadata or file
         * @description Name, metadata and collection change at once; metadata is replaced, not merged. A document that is moved keeps its pages, and is not processed again. A file, base64 or a different URL is a new upload: it is processed in the background, and the current pages are shown until it is ready.
         */
        patch: operations["updateDocument"];
        trace?: never;
    };
    "/v1/documents/{document_name}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the processing of the latest upload
         * @description What the document shows stays unchanged. 409 if nothing is being processed.
         */
        post: operations["cancelDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/{document_name}/events/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow the processing of a document
         * @description Server-sent events about the latest upload: first its current state, then every change. `progress` events report an intermediate state, an `end` event the final one; `data` is a job, whose final `status` is `ready`, `failed`, `cancelled`, `superseded` (by a newer upload) or `deleted`. A comment is sent every fifteen seconds. A stream that reaches the time limit closes without an `end` event: reconnect with `Last-Event-ID`, as browsers do. If you already have the `end` event, the response is 204. The number of concurrent streams is limited (429 for an account, 503 for a server process); polling the document always works.
         */
        get: operations["streamDocumentEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/{document_name}/pages/{page_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a page with its text
         * @description The page is one of those that the document shows now. `image_url` is where its image is.
         */
        get: operations["getPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/{document_name}/pages/{page_number}/image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the image of a page
         * @description The page is one of those that the document shows now. The image of an ETag never changes.
         */
        get: operations["getPageImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/{document_name}/retry/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry the processing of the latest upload
         * @description For uploads that failed or were cancelled; the file need not be sent again. If processing waits for something, it is retried at once. 409 if there is nothing to retry.
         */
        post: operations["retryDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/delete-document/{document_name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a document (ColiVara-compatible)
         * @description Same as `DELETE /v1/documents/{document_name}/`.
         */
        delete: operations["deleteDocumentCompatible"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/upsert-document/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a document
         * @description Creates the document, or replaces the one with this name; its current pages stay searchable until the new upload is ready. Send `file` in a form, or `base64` or `url` in JSON. 202 means that the upload is stored durably; `Location` is where to poll its state. With `wait`, the response is delayed until the document is searchable (201) or has failed (422: `detail` says why, and `errors` has the code); if that takes too long, or too many uploads are waited for, processing continues after a 202.
         */
        post: operations["upsertDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/documents/upsert-documents/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload many documents
         * @description Creates or replaces a document for each file: of those in `files` (up to 100) and of those in `archive`, a ZIP file (up to 1,000). Each file is accepted or refused by itself, as if it had been uploaded alone, and has an entry in the response. The limit on the size of a request is that of a single document.
         */
        post: operations["upsertDocuments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embeddings/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Embed queries or images
         * @description Returns one multi-vector of unit vectors for each input, in order.
         */
        post: operations["createEmbeddings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List evaluations
         * @description Oldest first. Long lists are paginated by the `Link` header.
         */
        get: operations["listEvaluations"];
        put?: never;
        /**
         * Create an evaluation
         * @description Stores questions about a collection with the pages or documents that answer them. The documents need not exist yet. Questions without a judgement above zero are left out. Its size counts towards the quota.
         */
        post: operations["createEvaluation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an evaluation
         * @description A view whose handlers run in one transaction that sees the rows of the key's owner.
         *
         *     A view that uses storage or the network sets `transactional = False` and opens `acting_for` where it needs rows.
         */
        get: operations["getEvaluation"];
        put?: never;
        post?: never;
        /**
         * Delete an evaluation and its runs
         * @description A view whose handlers run in one transaction that sees the rows of the key's owner.
         *
         *     A view that uses storage or the network sets `transactional = False` and opens `acting_for` where it needs rows.
         */
        delete: operations["deleteEvaluation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/runs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the runs of an evaluation
         * @description Newest first. Long lists are paginated by the `Link` header.
         */
        get: operations["listEvaluationRuns"];
        put?: never;
        /**
         * Run an evaluation
         * @description Queues the run; a worker searches for every question with every ranking, one search at a time. 409 if another run of this evaluation is not finished.
         */
        post: operations["startEvaluationRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/runs/{run_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a run
         * @description Poll it until `status` is `done`, `failed` or `cancelled`.
         */
        get: operations["getEvaluationRun"];
        put?: never;
        post?: never;
        /**
         * Delete a run
         * @description A run that is not finished ends.
         */
        delete: operations["deleteEvaluationRun"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/runs/{run_id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a run
         * @description 409 if it is over.
         */
        post: operations["cancelEvaluationRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/runs/{run_id}/comparison/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare a run with another one
         * @description By pairs of questions, so that small differences show. 409 unless both runs are done.
         */
        get: operations["compareEvaluationRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evaluations/{evaluation_id}/runs/{run_id}/questions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the questions of a run with their ranks
         * @description All questions of a run that is done, those with the lowest `ndcg10` first. 409 before.
         */
        get: operations["listEvaluationRunQuestions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download an uploaded file by its signed link
         * @description The link is the `url` of a document. It needs no API key. It works until it expires, the document no longer has this file, or the key that got the link ends.
         */
        get: operations["getFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/pages/{image_token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a page image by its signed link
         * @description The link is the `image_url` of a hit. It needs no API key, so a browser can show the image.
         */
        get: operations["getSignedPageImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/thumbnails/{thumbnail_token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a page thumbnail by its signed link
         * @description The link is the `thumbnail_url` of a hit or a page: a JPEG of at most 256 x 768 pixels.
         */
        get: operations["getSignedPageThumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/filter/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find documents or collections by metadata
         * @description Looks in all your collections. Returns an array, oldest first; long lists are paginated by the `Link` header.
         */
        post: operations["filter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/health/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check liveness
         * @description Needs no key and checks nothing else; `/readyz` reports the state of every component.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/helpers/file-to-base64/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Convert a file to base64
         * @description Nothing is stored.
         */
        post: operations["fileToBase64"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/helpers/file-to-imgbase64/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Convert a file to page images
         * @description Accepts every file type that a document may have. Nothing is stored.
         */
        post: operations["fileToImages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List unfinished and failed jobs
         * @description One job for each document whose latest upload is not ready, oldest first. Long lists are paginated by the `Link` header.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the keys of the account
         * @description Lists all keys that reach no further than the key in use, including expired and revoked ones. Requires the scope `admin`.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Create a key
         * @description Returns the whole key, which is never shown again. A key cannot grant more than it has itself: scopes, collections and lifetime. Requires the scope `admin`.
         *
         *     A key is restricted to collections *by name*: it reaches any collection that has such a name, now or later, and does not follow a renamed collection.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a key
         * @description Ends the key at once and for good, even the key in use. After a leak, `with=descendants` also ends all keys that exist because of it (`minted_by`), in one step. Requires the scope `admin`.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}/rotate/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace a key
         * @description Creates a key with the same rights and expires the old one after `overlap_hours`. If the old key has an expiry date, the new key has the same one. The key in use must have all rights of the old key and expire no earlier. Requires the scope `admin`.
         */
        post: operations["rotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the account of the key
         * @description Returns the account that the key belongs to and what the key permits. A good first call.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/progress/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get how much is left to process
         * @description Of the whole account: how many documents and pages are left, how fast pages are being processed, and how long the rest will take.
         */
        get: operations["getProgress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search pages
         * @description Searches all pages that your documents show. With `page` or `crop` instead of `query`, the stored vectors of that page, or of the part inside the box, are the query; no model is called, and the page itself is not among the hits. A `query` that is a list combines its parts by weight, regardless of their length; parts with a negative weight are avoided. An unknown collection counts as empty.
         *
         *     With `ranking: hybrid`, hits are ordered by score and words, so that exact identifiers are found; `ranks` has the fused score and both ranks, and scores may increase from one hit to the next.
         *
         *     With `rerank`, hits are ordered by the reranker's score and the ranking's together, so scores may increase as well. Without a reranker in the embeddings service, the response is 409 `reranker_missing`.
         */
        post: operations["search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search-image/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search pages by an image
         * @description The image may be a page, a part of a page, or a photo. All other fields are those of `search`.
         */
        post: operations["searchImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get usage and limits
         * @description Returns how much the account stores, its quotas, and the rate limits of its keys. A key that is restricted to collections gets null for what is stored.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a webhook (ColiVara-compatible)
         * @description Creates the single webhook of an account, as in ColiVara, for `upsert.success` and `upsert.fail`. Another call changes its URL, enables it and returns the same secret. Needs the scope `admin`.
         */
        post: operations["addWebhookCompatible"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhooks
         * @description Lists all your webhooks, oldest first. Needs the scope `admin` and a key for all collections.
         */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Create a webhook
         * @description Messages are signed according to Standard Webhooks. The secret is returned only once, in this response. Needs the scope `admin` and a key for all collections.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a webhook
         * @description The response does not include the secret. Needs the scope `admin`.
         */
        get: operations["getWebhook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook
         * @description Deletes its deliveries too; nothing more is sent. Needs the scope `admin`.
         */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        /**
         * Change, disable or enable a webhook
         * @description Null means omitted. No new messages are created for a disabled webhook; pending ones are sent once it is enabled again. Needs the scope `admin`.
         */
        patch: operations["updateWebhook"];
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/deliveries/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries of a webhook
         * @description Newest first; deliveries are stored for some days. Long lists are paginated by the `Link` header.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend a message
         * @description Sends it with the same `webhook-id`, even if it was delivered. A pending one is sent at once.
         */
        post: operations["replayWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/rotate-secret/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate the secret of a webhook
         * @description The new secret is returned only once, in this response. During the overlap, messages carry two signatures: one with the new secret and one with the old. Needs the scope `admin`.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/test/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test message to a webhook
         * @description Sends `webhook.test`, whatever the webhook subscribes to. Its deliveries show the result.
         */
        post: operations["testWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AnswerOut: {
            /** @description Best first. */
            results: components["schemas"]["HitOut"][];
            /** @description With `include: receipt`. */
            receipt?: components["schemas"]["ReceiptOut"];
        };
        Base64Out: {
            /** @description The file in base64. */
            data: string;
        };
        ColiVarasWebhookInRequest: {
            /** @description An http or https URL of a public server. */
            url: string;
        };
        ColiVarasWebhookOut: {
            /** @description Fixed for an account. */
            app_id: string;
            /** @description The id of the webhook, as text. */
            endpoint_id: string;
            /** @description The secret that signs messages. */
            webhook_secret: string;
        };
        CollectionInRequest: {
            /** @description 1 to 255 characters, except `all`. */
            name: string;
            /** @description Any JSON object; default: `{}`. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description How vectors of pages are stored: `full`, or `compact` in a quarter of the space. The default is up to the operator, who can also convert a collection later.
             *
             *     * `full` - full
             *     * `compact` - compact
             */
            vector_storage?: components["schemas"]["VectorStorageEnum"] | (null);
        };
        CollectionOut: {
            id: number;
            name: string;
            /** @description Empty if the key lacks the scope `read`. */
            metadata: {
                [key: string]: unknown;
            };
            num_documents: number;
            /** @description How vectors of new pages are stored: `full` or `compact`. */
            vector_storage: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @description * `contains` - contains
         *     * `not contains` - not contains
         *     * `start with` - start with
         *     * `end with` - end with
         *     * `is` - is
         *     * `is not` - is not
         *     * `in` - in
         *     * `not in` - not in
         *     * `empty` - empty
         *     * `not empty` - not empty
         *     * `null` - null
         *     * `not null` - not null
         *     * `=` - =
         *     * `≠` - ≠
         *     * `>` - >
         *     * `<` - <
         *     * `≥` - ≥
         *     * `≤` - ≤
         *     * `before` - before
         *     * `after` - after
         * @enum {string}
         */
        ComparisonOperatorEnum: "contains" | "not contains" | "start with" | "end with" | "is" | "is not" | "in" | "not in" | "empty" | "not empty" | "null" | "not null" | "=" | "≠" | ">" | "<" | "≥" | "≤" | "before" | "after";
        ComparisonOut: {
            run_id: number;
            baseline_id: number;
            /** @description By ranking and measure: that of the run minus that of the baseline, by pairs of questions. */
            differences: {
                [key: string]: {
                    [key: string]: components["schemas"]["MeanOut"];
                };
            };
        };
        ConditionInRequest: {
            /** @description A key of the documents' metadata. */
            name: string;
            /**
             * @description How to compare.
             *
             *     * `contains` - contains
             *     * `not contains` - not contains
             *     * `start with` - start with
             *     * `end with` - end with
             *     * `is` - is
             *     * `is not` - is not
             *     * `in` - in
             *     * `not in` - not in
             *     * `empty` - empty
             *     * `not empty` - not empty
             *     * `null` - null
             *     * `not null` - not null
             *     * `=` - =
             *     * `≠` - ≠
             *     * `>` - >
             *     * `<` - <
             *     * `≥` - ≥
             *     * `≤` - ≤
             *     * `before` - before
             *     * `after` - after
             */
            comparison_operator: components["schemas"]["ComparisonOperatorEnum"];
            /** @description Text, a number or a list; omitted with `empty` and `not empty`. Dates are `2026-06-30`. */
            value?: unknown;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        CropInRequest: {
            /** @description Name of the document. */
            document_name: string;
            /** @description The collection of the document, or `all`; default: `default_collection`. */
            collection_name?: string | null;
            /** @description Starts at 1. */
            page_number: number;
            /** @description Left, top, right, bottom, as fractions of the page from its top left corner. */
            box: number[];
        };
        DeliveryOut: {
            id: number;
            /** @description The `webhook-id`, the same for every attempt. */
            message_id: string;
            event: components["schemas"]["DeliveryOutEventEnum"];
            status: components["schemas"]["DeliveryOutStatusEnum"];
            /** @description Attempts since it was created or last resent. */
            attempts: number;
            /**
             * Format: date-time
             * @description When the next attempt is, if it is pending.
             */
            next_try_at: string | null;
            /**
             * Format: date-time
             * @description When the last attempt was.
             */
            attempted_at: string | null;
            /** @description Duration of the last attempt. */
            took_ms: number | null;
            /**
             * @description Why the last attempt failed.
             *
             *     * `refused` - refused
             *     * `unreachable` - unreachable
             *     * `untrusted` - untrusted
             *     * `redirected` - redirected
             *     * `rejected` - rejected
             */
            error: components["schemas"]["ErrorEnum"] | (null);
            response_status: number | null;
            /** @description The beginning of the last response. */
            response_body: string;
            /** Format: date-time */
            delivered_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        /**
         * @description * `document.ready` - Document Ready
         *     * `document.failed` - Document Failed
         *     * `document.cancelled` - Document Cancelled
         *     * `upsert.success` - Upsert Success
         *     * `upsert.fail` - Upsert Fail
         *     * `webhook.test` - webhook.test
         * @enum {string}
         */
        DeliveryOutEventEnum: "document.ready" | "document.failed" | "document.cancelled" | "upsert.success" | "upsert.fail" | "webhook.test";
        /**
         * @description * `pending` - Pending
         *     * `delivered` - Delivered
         *     * `failed` - Failed
         * @enum {string}
         */
        DeliveryOutStatusEnum: "pending" | "delivered" | "failed";
        /**
         * @description * `by_request` - By Request
         *     * `by_staff` - By Staff
         *     * `failing` - Failing
         *     * `gone` - Gone
         *     * `secret_lost` - Secret Lost
         * @enum {string}
         */
        DisabledReasonEnum: "by_request" | "by_staff" | "failing" | "gone" | "secret_lost";
        DocumentAccepted: {
            /** @description A message for people. */
            detail: string;
            /** @description `queued`: the file is stored and waits for a worker. */
            status: string;
            id: number;
            name: string;
            collection_name: string;
        };
        /** @description Where the file comes from: one of three fields. */
        DocumentInRequest: {
            /**
             * Format: binary
             * @description The file itself; only in a form.
             */
            file?: string | null;
            /** @description The file in standard base64, without a `data:` prefix. */
            base64?: string | null;
            /** @description A URL from which a worker downloads the file. */
            url?: string | null;
            /** @description Download the URL through the configured proxy. */
            use_proxy?: boolean | null;
            /**
             * @description If a page cannot be rendered or embedded: `fail` (the default) the document, or `skip` the page.
             *
             *     * `fail` - Fail
             *     * `skip` - Skip
             */
            on_page_error?: components["schemas"]["OnPageErrorEnum"] | (null);
            /** @description 1 to 255 characters. An existing document of this name is replaced. */
            name: string;
            /** @description Replaces existing metadata; default: `{}`. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @description Created if it does not exist. Default: `default_collection`. */
            collection_name?: string | null;
            /** @description Wait until the document is ready, up to a time limit. */
            wait?: boolean | null;
        };
        DocumentOut: {
            id: number;
            name: string;
            /** @description Empty if the key lacks the scope `read`. */
            metadata: {
                [key: string]: unknown;
            };
            /** @description A signed link to the uploaded file, or the URL it was downloaded from. Empty if the key lacks the scope `read`. */
            url: string;
            /** @description SHA-256 of the file of the latest upload, in hex; null before a URL is downloaded, and if the key lacks the scope `read`. */
            sha256: string | null;
            /** @description Number of pages that are searchable now. */
            num_pages: number;
            /** @description How many of them have no text that is known; null before they are stored, and for documents that an earlier version stored. */
            pages_without_text: number | null;
            collection_name: string;
            /** @description Only with `expand=pages`. */
            pages: components["schemas"]["PageOut"][] | null;
            /**
             * @description State of the latest upload.
             *
             *     * `queued` - Queued
             *     * `fetching` - Fetching
             *     * `rendering` - Rendering
             *     * `embedding` - Embedding
             *     * `ready` - Ready
             *     * `failed` - Failed
             *     * `cancelled` - Cancelled
             */
            status: components["schemas"]["DocumentOutStatusEnum"];
            /** @description Number of pages of the latest upload, once known. */
            pages_total: number | null;
            /** @description How many of them are processed. */
            pages_done: number;
            /** @description How many of them reused the vectors of an identical page. */
            reused_pages: number;
            /** @description Pages of the latest upload that were skipped: see `on_page_error`. */
            skipped_pages: components["schemas"]["SkippedOut"][];
            /** @description Code of what processing waits for, if it does; it continues automatically. */
            waiting_for: string | null;
            /** @description Why the latest upload failed. */
            error: components["schemas"]["FailureOut"] | (never | null);
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @description * `queued` - Queued
         *     * `fetching` - Fetching
         *     * `rendering` - Rendering
         *     * `embedding` - Embedding
         *     * `ready` - Ready
         *     * `failed` - Failed
         *     * `cancelled` - Cancelled
         * @enum {string}
         */
        DocumentOutStatusEnum: "queued" | "fetching" | "rendering" | "embedding" | "ready" | "failed" | "cancelled";
        DocumentsAccepted: {
            collection_name: string;
            /** @description Number of files that were accepted. */
            accepted: number;
            /** @description Number of files that were refused. */
            refused: number;
            /** @description One for each file: those of `files`, then those of the archive. */
            documents: components["schemas"]["UploadedOut"][];
        };
        DocumentsInRequest: {
            /** @description The files, up to 100. The name of each becomes that of its document. */
            files?: string[];
            /**
             * Format: binary
             * @description A ZIP archive with files. The path of each in the archive becomes the name of its document.
             */
            archive?: string | null;
            /** @description Of every document; default: `{}`. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @description Created if it does not exist. Default: `default_collection`. */
            collection_name?: string | null;
            /**
             * @description As for a single document.
             *
             *     * `fail` - Fail
             *     * `skip` - Skip
             */
            on_page_error?: components["schemas"]["OnPageErrorEnum"] | (null);
        };
        EmbeddingOut: {
            /** @description Always `embedding`. */
            object: string;
            embedding: number[][];
            /** @description Index of the input, from 0. */
            index: number;
        };
        EmbeddingsInRequest: {
            /** @description Queries, or images in base64. */
            input_data: string[];
            /**
             * @description What the inputs are.
             *
             *     * `query` - query
             *     * `image` - image
             */
            task: components["schemas"]["TaskEnum"];
        };
        EmbeddingsOut: {
            data: components["schemas"]["EmbeddingOut"][];
            model: string;
            usage: components["schemas"]["EmbeddingsUsage"];
        };
        EmbeddingsUsage: {
            /** @description Number of vectors computed. */
            prompt_tokens: number;
            total_tokens: number;
        };
        /**
         * @description * `refused` - refused
         *     * `unreachable` - unreachable
         *     * `untrusted` - untrusted
         *     * `redirected` - redirected
         *     * `rejected` - rejected
         * @enum {string}
         */
        ErrorEnum: "refused" | "unreachable" | "untrusted" | "redirected" | "rejected";
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        EvaluationInRequest: {
            /** @description Shown to people; need not be unique. */
            name: string;
            /** @description The collection to search; default: `default_collection`. */
            collection_name?: string | null;
            /** @description Questions with answers. */
            questions?: components["schemas"]["QuestionInRequest"][] | null;
            /** @description Instead of `questions`, with `qrels`: JSON lines with `_id` and `text`. */
            queries?: string | null;
            /** @description Lines of `query-id`, `corpus-id` and `score`, separated by tabs, after a header. A corpus-id is `file.pdf#3` for a page, or `file.pdf`. */
            qrels?: string | null;
        };
        EvaluationOut: {
            id: number;
            name: string;
            collection_name: string;
            /** @description How many questions have a judgement above zero; others are left out. */
            questions: number;
            /** @description How many runs are stored. */
            runs: number;
            /** Format: date-time */
            created_at: string;
        };
        /** @description One event of the stream. */
        EventOut: {
            /** @description For `Last-Event-ID`. */
            id: string;
            /**
             * @description `end` is the last event.
             *
             *     * `progress` - progress
             *     * `end` - end
             */
            event: components["schemas"]["EventOutEventEnum"];
            /** @description A job, as JSON. */
            data: string;
        };
        /**
         * @description * `progress` - progress
         *     * `end` - end
         * @enum {string}
         */
        EventOutEventEnum: "progress" | "end";
        /**
         * @description * `document.ready` - Document Ready
         *     * `document.failed` - Document Failed
         *     * `document.cancelled` - Document Cancelled
         *     * `upsert.success` - Upsert Success
         *     * `upsert.fail` - Upsert Fail
         * @enum {string}
         */
        EventsEnum: "document.ready" | "document.failed" | "document.cancelled" | "upsert.success" | "upsert.fail";
        FailureOut: {
            code: string;
            detail: string;
            /** @description The page that failed, if it was a page. */
            page?: number;
        };
        FileInRequest: {
            /**
             * Format: binary
             * @description The file; its name is ignored.
             */
            file: string;
        };
        FilterHit: components["schemas"]["DocumentOut"] | components["schemas"]["CollectionOut"];
        /**
         * @description * `document` - document
         * @enum {string}
         */
        GroupByEnum: "document";
        HealthOut: {
            /** @description Always `ok`. */
            status: string;
        };
        HitOut: {
            collection_name: string;
            collection_id: number;
            collection_metadata: {
                [key: string]: unknown;
            } | null;
            document_name: string;
            document_id: number;
            document_metadata: {
                [key: string]: unknown;
            } | null;
            /** @description Starts at 1. */
            page_number: number;
            page_id: number;
            /**
             * Format: double
             * @description MaxSim: the sum of the best match of each query vector. Null only if ranked by words alone: with `ranking: lexical`, in a degraded response, and with `hybrid` if no page in scope has vectors.
             */
            raw_score: number | null;
            /**
             * Format: double
             * @description The raw score divided by the number of query vectors, or by the sum of their weights.
             */
            normalized_score: number | null;
            /**
             * Format: double
             * @description Relevance by the reranker, from 0 to 1. Only if pages were reranked; null for a page without text, and beyond the fiftieth.
             */
            rerank_score?: number | null;
            /** @description Only if words were part of the ranking. */
            ranks?: components["schemas"]["RanksOut"];
            /** @description The page image in base64, without a `data:` prefix; empty unless `images` is `base64`, and if its file is missing from storage. */
            img_base64: string;
            /** @description A signed link to the image that expires; null with `images: none`. */
            image_url: string | null;
            /** @description A signed link to the thumbnail that expires; null if there is no thumbnail. */
            thumbnail_url: string | null;
            /** @description Width of the image in pixels. */
            width: number;
            /** @description Height of the image in pixels. */
            height: number;
            /** @description The text of the page; with `include: text`. */
            text?: string;
            /** @description With `include: regions`; null if ranked by words alone. */
            regions?: components["schemas"]["RegionsOut"] | (never | null);
        };
        ImageOut: {
            /** @description PNG in base64, without a `data:` prefix. */
            img_base64: string;
            /** @description Starts at 1. */
            page_number: number;
        };
        /**
         * @description * `base64` - base64
         *     * `url` - url
         *     * `none` - none
         * @enum {string}
         */
        ImagesEnum: "base64" | "url" | "none";
        /**
         * @description * `text` - text
         *     * `receipt` - receipt
         *     * `regions` - regions
         * @enum {string}
         */
        IncludeEnum: "text" | "receipt" | "regions";
        ItemOut: {
            document_name: string;
            /** @description Null: the document as a whole. */
            page_number: number | null;
        };
        JobOut: {
            /** @description Id of the job; every upload is a new job. */
            id: number;
            document_id: number;
            document_name: string;
            collection_name: string;
            status: components["schemas"]["JobOutStatusEnum"];
            /** @description Null until it is known. */
            pages_total: number | null;
            pages_done: number;
            /**
             * Format: double
             * @description Pages that are processed per second; null if it is not being processed.
             */
            pages_per_s: number | null;
            /**
             * Format: double
             * @description Estimated seconds until it is ready, with everything that is queued before it; null if unknown.
             */
            seconds_left: number | null;
            /** @description How many pages reused the vectors of an identical page. */
            reused_pages: number;
            /** @description Pages that were skipped: see `on_page_error`. */
            skipped_pages: components["schemas"]["SkippedOut"][];
            /** @description How many times a worker started it without making progress. */
            attempts: number;
            /** @description Code of what it waits for. */
            waiting_for: string | null;
            /**
             * Format: date-time
             * @description When it is retried, if it waits.
             */
            next_try_at: string | null;
            /** @description Why it failed. */
            error: components["schemas"]["FailureOut"] | (never | null);
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @description * `queued` - Queued
         *     * `fetching` - Fetching
         *     * `rendering` - Rendering
         *     * `embedding` - Embedding
         *     * `failed` - Failed
         *     * `cancelled` - Cancelled
         * @enum {string}
         */
        JobOutStatusEnum: "queued" | "fetching" | "rendering" | "embedding" | "failed" | "cancelled";
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        JudgementInRequest: {
            /** @description Name of the document. */
            document_name: string;
            /** @description Null: any page. */
            page_number?: number | null;
            /**
             * @description How well it answers; default 1. 0: not at all.
             * @default 1
             */
            grade?: number;
        };
        JudgementOut: {
            document_name: string;
            /** @description Null: the document as a whole. */
            page_number: number | null;
            grade: number;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        KeyInRequest: {
            /**
             * @description A name for your own reference.
             * @default
             */
            name?: string;
            /** @description What the key permits; `admin` includes all others. */
            scopes: components["schemas"]["ScopesEnum"][];
            /** @description The only collections it reaches, by name; null: all. Default: those of the key in use. */
            collections?: string[] | null;
            /**
             * Format: date-time
             * @description When it expires; null: never. Default: when the key in use expires.
             */
            expires_at?: string | null;
        };
        KeyMinted: {
            id: number;
            name: string;
            /** @description The parts of the key that are shown again. */
            key_hint: string;
            scopes: components["schemas"]["ScopesEnum"][];
            /** @description The only collections it reaches, by name; null: all. */
            collections: string[] | null;
            state: components["schemas"]["StateEnum"];
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description Accurate to the minute.
             */
            last_used_at: string | null;
            /** @description The client's IP address at that time. */
            last_used_address: string | null;
            /** Format: date-time */
            revoked_at: string | null;
            /** @description The id of the key that created this one; if that key is no longer stored, of the key that created it. Null: created without a key. */
            minted_by: number | null;
            /** @description The id of the key that this one replaced. */
            rotated_from: number | null;
            /** @description The whole key. It is shown only once and never stored. */
            key: string;
        };
        KeyOut: {
            id: number;
            name: string;
            /** @description The parts of the key that are shown again. */
            key_hint: string;
            scopes: components["schemas"]["ScopesEnum"][];
            /** @description The only collections it reaches, by name; null: all. */
            collections: string[] | null;
            state: components["schemas"]["StateEnum"];
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description Accurate to the minute.
             */
            last_used_at: string | null;
            /** @description The client's IP address at that time. */
            last_used_address: string | null;
            /** Format: date-time */
            revoked_at: string | null;
            /** @description The id of the key that created this one; if that key is no longer stored, of the key that created it. Null: created without a key. */
            minted_by: number | null;
            /** @description The id of the key that this one replaced. */
            rotated_from: number | null;
        };
        /**
         * @description * `and` - and
         *     * `or` - or
         * @enum {string}
         */
        LogicalOperatorEnum: "and" | "or";
        MeOut: {
            /** Format: email */
            email: string;
            /** @description The key in use. */
            key_id: number;
            key_name: string;
            scopes: components["schemas"]["ScopesEnum"][];
            collections: string[] | null;
            /** Format: date-time */
            expires_at: string | null;
        };
        MeanOut: {
            /** Format: double */
            mean: number;
            /**
             * Format: double
             * @description Lower end of the 95 % bootstrap interval.
             */
            low: number;
            /**
             * Format: double
             * @description Upper end.
             */
            high: number;
        };
        MetadataConditionInRequest: {
            /**
             * @description How conditions combine; default `and`.
             *
             *     * `and` - and
             *     * `or` - or
             */
            logical_operator?: components["schemas"]["LogicalOperatorEnum"] | (null);
            /** @description The conditions. */
            conditions: components["schemas"]["ConditionInRequest"][] | null;
        };
        /**
         * @description * `auto` - auto
         *     * `exact` - exact
         * @enum {string}
         */
        ModeEnum: "auto" | "exact";
        /**
         * @description * `fail` - Fail
         *     * `skip` - Skip
         * @enum {string}
         */
        OnPageErrorEnum: "fail" | "skip";
        /** @description Where the text of a page is from. */
        PageDetailOut: {
            /**
             * @description Where the page's text is from: the `file`, `ocr`, or `none` if no text is known. Only a model that sees images finds such a page.
             *
             *     * `file` - file
             *     * `ocr` - ocr
             *     * `none` - none
             */
            text_source: components["schemas"]["TextSourceEnum"];
            /** @description The scripts of the text, such as `Latin`, `Cyrillic` or `Han`, the most frequent first. */
            scripts: string[];
            /** @description The script of text on the image that OCR could not read, such as `Arabic`, or `unknown`. */
            unread_script: string | null;
            collection_name: string;
            document_name: string;
            document_id: number;
            /** @description Starts at 1. */
            page_number: number;
            page_id: number;
            /** @description Width of the image in pixels. */
            width: number;
            /** @description Height of the image in pixels. */
            height: number;
            /** @description The text of the page; empty if none is known. */
            text: string;
            /** @description A signed link to the image that expires. */
            image_url: string;
            /** @description A signed link to the thumbnail that expires; null if there is no thumbnail. */
            thumbnail_url: string | null;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        PageInRequest: {
            /** @description Name of the document. */
            document_name: string;
            /** @description The collection of the document, or `all`; default: `default_collection`. */
            collection_name?: string | null;
            /** @description Starts at 1. */
            page_number: number;
        };
        /** @description Where the text of a page is from. */
        PageOut: {
            /**
             * @description Where the page's text is from: the `file`, `ocr`, or `none` if no text is known. Only a model that sees images finds such a page.
             *
             *     * `file` - file
             *     * `ocr` - ocr
             *     * `none` - none
             */
            text_source: components["schemas"]["TextSourceEnum"];
            /** @description The scripts of the text, such as `Latin`, `Cyrillic` or `Han`, the most frequent first. */
            scripts: string[];
            /** @description The script of text on the image that OCR could not read, such as `Arabic`, or `unknown`. */
            unread_script: string | null;
            document_name: string;
            /** @description Starts at 1. */
            page_number: number;
            /** @description The page image in base64, without a `data:` prefix; empty if its file is missing from storage. */
            img_base64: string;
            /** @description A signed link to the thumbnail that expires; null if there is no thumbnail. */
            thumbnail_url: string | null;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        PartInRequest: {
            /** @description A text query. */
            text?: string | null;
            /** @description An image in base64, without a `data:` prefix. */
            image?: string | null;
            /** @description One of your pages. */
            page?: components["schemas"]["PageInRequest"] | (never | null);
            /** @description A part of one of your pages. */
            crop?: components["schemas"]["CropInRequest"] | (never | null);
            /**
             * Format: double
             * @description Weight of the part; default 1; negative: avoid pages like it.
             */
            weight?: number | null;
        };
        PatchedCollectionChangeRequest: {
            /** @description The new name. */
            name?: string | null;
            /** @description Replaces all metadata. */
            metadata?: {
                [key: string]: unknown;
            } | null;
        };
        /** @description Where the file comes from: one of three fields. */
        PatchedDocumentChangeRequest: {
            /**
             * Format: binary
             * @description The file itself; only in a form.
             */
            file?: string | null;
            /** @description The file in standard base64, without a `data:` prefix. */
            base64?: string | null;
            /** @description A URL from which a worker downloads the file. */
            url?: string | null;
            /** @description Download the URL through the configured proxy. */
            use_proxy?: boolean | null;
            /**
             * @description If a page cannot be rendered or embedded: `fail` (the default) the document, or `skip` the page.
             *
             *     * `fail` - Fail
             *     * `skip` - Skip
             */
            on_page_error?: components["schemas"]["OnPageErrorEnum"] | (null);
            /** @description The new name. */
            name?: string | null;
            /** @description Replaces all metadata. */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @description The collection to look in, or `all`. Default: `default_collection`, else the only collection that has a document of this name. */
            collection_name?: string | null;
            /** @description The existing collection to move the document to. */
            move_to?: string | null;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        PatchedWebhookChangeRequest: {
            /** @description The new URL; the secret stays the same. */
            url?: string | null;
            /** @description Free text. */
            description?: string | null;
            /** @description Replaces the whole list. */
            events?: components["schemas"]["EventsEnum"][] | null;
            /** @description `false`: no new messages are created, and pending ones wait. */
            enabled?: boolean | null;
        };
        PercentilesOut: {
            /** Format: double */
            p50: number;
            /** Format: double */
            p95: number;
        };
        /** @description An error (RFC 9457). */
        ProblemOut: {
            /** @description URL of the explanation of the code. */
            type: string;
            /** @description The meaning of the code. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description What went wrong with this request. */
            detail: string;
            /** @description Stable code, for programs. */
            code: string;
            /** @description The invalid parts of the request, at most 20. */
            errors: components["schemas"]["ProblemPlace"][];
            /** @description The id of the request, as in the log and in `X-Request-ID`. */
            request_id: string;
        };
        ProblemPlace: {
            /** @description JSON pointer to the invalid part, such as `/metadata/year`. */
            pointer: string;
            /** @description Stable code of this problem. */
            code: string;
            /** @description Explanation for people. */
            detail: string;
        };
        ProgressOut: {
            /** @description Documents that are being processed or queued. */
            documents_left: number;
            /** @description Their pages; for files that are not opened yet, as many as those processed lately have on average. */
            pages_left: number;
            /**
             * Format: double
             * @description Pages that were processed per second in the last minute; null if none.
             */
            pages_per_s: number | null;
            /**
             * Format: double
             * @description Estimated seconds; null if none was processed.
             */
            seconds_left: number | null;
        };
        QualityOut: {
            collection_name: string;
            /**
             * Format: double
             * @description Share of the exact best `k` pages that searches found; null if none was compared.
             */
            recall: number | null;
            /** @description Pages compared per search; fewer if a search requested fewer. */
            k: number;
            /** @description Searches that were repeated exactly. */
            searches_compared: number;
            /** @description Pages of this collection among the exact best. */
            pages_expected: number;
            /** @description How many of them the searches found. */
            pages_found: number;
            /** @description Number of days covered. */
            days: number;
            /** @description Percentage of searches that are repeated. */
            shadow_percent: number;
            /** @description How vectors of new pages are stored: `full` or `compact`. */
            vector_storage: string;
            /**
             * Format: double
             * @description Mean number of vectors of a few pages; null without pages.
             */
            vectors_per_page: number | null;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        QuestionInRequest: {
            /** @description Your name of the question. */
            id: string;
            /** @description The question. */
            text: string;
            /** @description What answers it: pages or documents. */
            relevant: components["schemas"]["JudgementInRequest"][];
        };
        QuestionOut: {
            id: string;
            text: string;
            relevant: components["schemas"]["JudgementOut"][];
            /** @description By ranking: the rank of each item of `relevant`; null if it was not among the best 100. */
            ranks: {
                [key: string]: (number | null)[];
            };
            measures: {
                [key: string]: {
                    [key: string]: number;
                };
            };
            /** @description Error code by ranking, if a search failed. */
            errors: {
                [key: string]: string;
            };
        };
        /**
         * @description * `auto` - auto
         *     * `maxsim` - maxsim
         *     * `hybrid` - hybrid
         *     * `lexical` - lexical
         * @enum {string}
         */
        RankingEnum: "auto" | "maxsim" | "hybrid" | "lexical";
        /** @description The ranks that determine the order of hits. */
        RanksOut: {
            /** @description Rank by score, from 1; null beyond the first thousand, or without a score. */
            maxsim: number | null;
            /** @description Rank by words, from 1; null if the page contains none of them. */
            lexical: number | null;
            /**
             * Format: double
             * @description Normalised score, plus up to 0.1 for the query's words on the page, plus 2.2 if it contains an identifier of the query that at most ten pages contain; null if ranked by words alone.
             */
            fused: number | null;
        };
        /** @description How the search was done. */
        ReceiptOut: {
            /** @description `exact`: every page in scope was scored; `sketch`: the best candidates by sketches; `lexical`: no page was scored, the ranking is by words alone. */
            mode: string;
            /** @description `maxsim`, `hybrid` or `lexical`. */
            ranking: string;
            /** @description True if the embeddings service was unavailable. */
            degraded: boolean;
            /** @description The vector space of the query; null if the query was not embedded. */
            space: components["schemas"]["SpaceOut"] | (never | null);
            /** @description Pages that match the collections, the filter and the key. */
            pages_in_scope: number;
            /** @description Pages that were scored exactly. */
            pages_scored: number;
            /** @description The form of the vectors that were scored, the same for all pages: `full` or `compact`; null if none were. `exact` is exact over this form. */
            vector_storage: string | null;
            /**
             * Format: double
             * @description Mean number of vectors of the pages scored; null if none was.
             */
            vectors_per_page: number | null;
            /** @description Pages found by words, up to a few hundred; null if words were not searched. */
            pages_matched: number | null;
            /** @description Pages without vectors of the query's model. */
            pages_left_out: number;
            /** @description Null if pages were not reranked: it was not requested, no candidate has text, `offset` is past the candidates, or the response is degraded. */
            reranking: components["schemas"]["RerankingOut"] | (never | null);
            /** @description Milliseconds per stage. */
            ms: {
                [key: string]: number;
            };
        };
        RecordOut: {
            /** @description The text of the page; without text, a sentence that names the image. */
            content: string;
            /**
             * Format: double
             * @description The `normalized_score` of the page, from 0 to 1; 0 if ranked by words alone.
             */
            score: number;
            /** @description The document and the number of the page. */
            title: string;
            /** @description The metadata of the document, and `collection_name`, `document_name`, `document_id`, `page_number`, `image_url` and `thumbnail_url`, whose links expire. */
            metadata: {
                [key: string]: unknown;
            };
        };
        RegionOut: {
            /** @description Left, top, right, bottom, as fractions of the page from its top left corner. */
            box: number[];
            /**
             * Format: double
             * @description Normalized score of the vectors inside the box alone.
             */
            score: number;
            /** @description The query's vectors, from 0, whose best match is in the box. */
            tokens: number[];
            /** @description The text in the box, if the page has a text layer. */
            text: string;
        };
        /** @description Where on the page the answer is; empty if the page has no layout data. */
        RegionsOut: {
            /** @description Best first, at most eight. */
            boxes: components["schemas"]["RegionOut"][];
            /** @description Columns of each map, at most 32. */
            n_x: number;
            /** @description Rows of each map, at most 32. */
            n_y: number;
            /** @description The query's vectors with the most distinct best matches, at most 32. */
            tokens: components["schemas"]["TokenOut"][];
        };
        /** @description What the reranker did. */
        RerankingOut: {
            model: string;
            revision: string;
            /** @description The best pages by the ranking, at most 50. */
            candidates: number;
            /** @description Candidates with text, which the reranker scored. */
            pages: number;
        };
        /** @description What Dify sends. Unknown fields are ignored, because its versions differ in them. */
        RetrievalInRequest: {
            /** @description The name of a collection, or `all`: every collection of yours. */
            knowledge_id: string;
            /** @description The question. */
            query: string;
            /** @description How many records, and how good. */
            retrieval_setting: components["schemas"]["RetrievalSettingInRequest"];
            /** @description Conditions on the metadata of documents. */
            metadata_condition?: components["schemas"]["MetadataConditionInRequest"] | (never | null);
        };
        RetrievalOut: {
            /** @description Best first; empty if nothing matches. */
            records: components["schemas"]["RecordOut"][];
        };
        RetrievalSettingInRequest: {
            /** @description Maximum number of records; default 3. */
            top_k?: number | null;
            /**
             * Format: double
             * @description Minimum `score` of a record; 0, the default, is no threshold.
             */
            score_threshold?: number | null;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        RotationInRequest: {
            /**
             * @description How long the old key keeps working.
             * @default 24
             */
            overlap_hours?: number;
        };
        RunErrorOut: {
            code: string;
            detail: string;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        RunInRequest: {
            /** @description The rankings to measure; default: all that can find pages of the collection. */
            rankings?: components["schemas"]["RankingEnum"][] | null;
        };
        RunOut: {
            id: number;
            evaluation_id: number;
            /** @description `queued`, `running`, `done`, `failed` or `cancelled`. */
            status: string;
            /** @description Once it runs, only those that apply. */
            rankings: string[];
            questions: number;
            questions_done: number;
            /** @description Error code of an unavailable service that the run waits for. */
            waiting_for: string;
            error: components["schemas"]["RunErrorOut"] | (never | null);
            /** @description The model that embedded the questions; empty if none did. */
            model: string;
            /** @description Judged pages and documents that did not exist; at most 100. */
            missing: components["schemas"]["ItemOut"][];
            /** @description They count as not found. */
            missing_count: number;
            /** @description By ranking and measure: `ndcg5`, `ndcg10`, `recall1`, `recall5`, `recall10`, `recall100`, `mrr`. */
            measures: {
                [key: string]: {
                    [key: string]: components["schemas"]["MeanOut"];
                };
            };
            /** @description Milliseconds by ranking and stage. */
            timings: {
                [key: string]: {
                    [key: string]: components["schemas"]["PercentilesOut"];
                };
            };
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at: string | null;
        };
        /**
         * @description * `read` - read
         *     * `write` - write
         *     * `search` - search
         *     * `admin` - admin
         * @enum {string}
         */
        ScopesEnum: "read" | "write" | "search" | "admin";
        /** @description The fields that both search endpoints have: where to search, and what to return. */
        SearchImageInRequest: {
            /** @description The collection to search; default, or `all`: every collection of yours. */
            collection_name?: string | null;
            /** @description The collections to search, instead of `collection_name`. */
            collections?: string[] | null;
            query_filter?: components["schemas"]["FilterInRequest"] | null;
            /** @description Maximum number of hits; default 3. */
            top_k?: number | null;
            /** @description How many of the best hits to skip. */
            offset?: number | null;
            /**
             * Format: double
             * @description Minimum `normalized_score` of a hit.
             */
            min_score?: number | null;
            /**
             * @description `document`: return only the best page of each document.
             *
             *     * `document` - document
             */
            group_by?: components["schemas"]["GroupByEnum"] | (null);
            /**
             * @description How hits include their image; default `base64`, which includes a link too.
             *
             *     * `base64` - base64
             *     * `url` - url
             *     * `none` - none
             */
            images?: components["schemas"]["ImagesEnum"] | (null);
            /**
             * @description `exact` scores every page in scope; `auto`, the default, scores only the best candidates by sketches if the scope is large. The scores of hits are exact either way.
             *
             *     * `auto` - auto
             *     * `exact` - exact
             */
            mode?: components["schemas"]["ModeEnum"] | (null);
            /** @description Additional data: the text of each page, a receipt of how the search was done, and the regions of each page that match (at most 20 hits). */
            include?: components["schemas"]["IncludeEnum"][] | null;
            /** @description The image, in any image format that documents may have, in base64 without a `data:` prefix. */
            img_base64: string;
        };
        /** @description The fields that both search endpoints have: where to search, and what to return. */
        SearchInRequest: {
            /** @description The collection to search; default, or `all`: every collection of yours. */
            collection_name?: string | null;
            /** @description The collections to search, instead of `collection_name`. */
            collections?: string[] | null;
            query_filter?: components["schemas"]["FilterInRequest"] | null;
            /** @description Maximum number of hits; default 3. */
            top_k?: number | null;
            /** @description How many of the best hits to skip. */
            offset?: number | null;
            /**
             * Format: double
             * @description Minimum `normalized_score` of a hit.
             */
            min_score?: number | null;
            /**
             * @description `document`: return only the best page of each document.
             *
             *     * `document` - document
             */
            group_by?: components["schemas"]["GroupByEnum"] | (null);
            /**
             * @description How hits include their image; default `base64`, which includes a link too.
             *
             *     * `base64` - base64
             *     * `url` - url
             *     * `none` - none
             */
            images?: components["schemas"]["ImagesEnum"] | (null);
            /**
             * @description `exact` scores every page in scope; `auto`, the default, scores only the best candidates by sketches if the scope is large. The scores of hits are exact either way.
             *
             *     * `auto` - auto
             *     * `exact` - exact
             */
            mode?: components["schemas"]["ModeEnum"] | (null);
            /** @description Additional data: the text of each page, a receipt of how the search was done, and the regions of each page that match (at most 20 hits). */
            include?: components["schemas"]["IncludeEnum"][] | null;
            /** @description The query: text, or a list of parts that are combined. Required unless `page` or `crop` is sent. */
            query?: (string | null) | components["schemas"]["PartInRequest"][];
            /** @description One of your pages, instead of `query`, to find similar ones. */
            page?: components["schemas"]["PageInRequest"] | (never | null);
            /** @description A part of one of your pages, instead of `query`. */
            crop?: components["schemas"]["CropInRequest"] | (never | null);
            /**
             * @description `maxsim`: by late interaction; `lexical`: by words; `hybrid`: by both; `auto`, the default: `hybrid` for text with a number or an identifier if the model sees only text, else `maxsim`.
             *
             *     * `auto` - auto
             *     * `maxsim` - maxsim
             *     * `hybrid` - hybrid
             *     * `lexical` - lexical
             */
            ranking?: components["schemas"]["RankingEnum"] | (null);
            /** @description Let the reranker of the embeddings service read the 50 best pages, and order those with text by its score and that of the ranking. Needs a query with text. */
            rerank?: boolean | null;
            /** @description If the embeddings service is unavailable, rank by words alone or do not rerank, instead of failing. */
            allow_degraded?: boolean | null;
        };
        SearchOut: {
            /** @description Best first. */
            results: components["schemas"]["HitOut"][];
            /** @description With `include: receipt`. */
            receipt?: components["schemas"]["ReceiptOut"];
            /** @description The query, if it was text; otherwise empty. */
            query: string;
        };
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        SecretRotationRequest: {
            /**
             * @description How long messages are also signed with the old secret.
             * @default 24
             */
            overlap_hours?: number;
        };
        SkippedOut: {
            page: number;
            code: string;
            detail: string;
        };
        SpaceOut: {
            model: string;
            revision: string;
            dim: number;
        };
        /**
         * @description * `active` - active
         *     * `expired` - expired
         *     * `revoked` - revoked
         * @enum {string}
         */
        StateEnum: "active" | "expired" | "revoked";
        /**
         * @description * `query` - query
         *     * `image` - image
         * @enum {string}
         */
        TaskEnum: "query" | "image";
        /**
         * @description * `file` - file
         *     * `ocr` - ocr
         *     * `none` - none
         * @enum {string}
         */
        TextSourceEnum: "file" | "ocr" | "none";
        TokenOut: {
            /** @description Index of the query's vector, from 0. */
            token: number;
            /**
             * Format: double
             * @description Score of its best match.
             */
            score: number;
            /** @description The box of its best match. */
            box: number[];
            /** @description A heat map in base64, n_y rows of n_x bytes: from 0 (no better than the page as a whole) to 255 (the best match). */
            map: string;
        };
        UploadedOut: {
            name: string;
            /**
             * @description `queued`: the file is stored; see a document.
             *
             *     * `queued` - queued
             *     * `refused` - refused
             */
            status: components["schemas"]["UploadedOutStatusEnum"];
            /** @description Id of the document; null if the file was refused. */
            id: number | null;
            /** @description Why the file was refused. */
            error: components["schemas"]["FailureOut"] | (never | null);
        };
        /**
         * @description * `queued` - queued
         *     * `refused` - refused
         * @enum {string}
         */
        UploadedOutStatusEnum: "queued" | "refused";
        UsageOut: {
            collections: number | null;
            documents: number | null;
            pages: number | null;
            /** @description Size of uploaded files, metadata, and responses stored for `Idempotency-Key`. */
            bytes: number | null;
            max_collections: number;
            max_documents: number;
            max_pages: number;
            max_bytes: number;
            /** @description The rate at which a key's allowance refills. */
            requests_per_minute: number;
            /** @description The full allowance of a key, which may be spent at once. */
            requests_at_once: number;
            /** @description How many searches the account may run concurrently. */
            searches_at_once: number;
            /** @description How many uploads the account may run concurrently. */
            uploads_at_once: number;
        };
        /**
         * @description * `full` - full
         *     * `compact` - compact
         * @enum {string}
         */
        VectorStorageEnum: "full" | "compact";
        /** @description Refuses unknown fields, so that a misspelt one is reported instead of ignored. */
        WebhookInRequest: {
            /** @description An http or https URL of a public server. */
            url: string;
            /** @description Free text. */
            description?: string | null;
            /** @description Events to send; default: all that begin with `document.`. */
            events?: components["schemas"]["EventsEnum"][] | null;
        };
        WebhookOut: {
            id: number;
            url: string;
            description: string;
            events: components["schemas"]["EventsEnum"][];
            enabled: boolean;
            /**
             * @description Why it is disabled.
             *
             *     * `by_request` - By Request
             *     * `by_staff` - By Staff
             *     * `failing` - Failing
             *     * `gone` - Gone
             *     * `secret_lost` - Secret Lost
             */
            disabled_reason: components["schemas"]["DisabledReasonEnum"] | (null);
            /** Format: date-time */
            disabled_at: string | null;
            /**
             * Format: date-time
             * @description When the first message since the last success failed.
             */
            failing_since: string | null;
            /**
             * Format: date-time
             * @description Until when messages are also signed with the old secret.
             */
            old_secret_until: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        WebhookWithSecret: {
            id: number;
            url: string;
            description: string;
            events: components["schemas"]["EventsEnum"][];
            enabled: boolean;
            /**
             * @description Why it is disabled.
             *
             *     * `by_request` - By Request
             *     * `by_staff` - By Staff
             *     * `failing` - Failing
             *     * `gone` - Gone
             *     * `secret_lost` - Secret Lost
             */
            disabled_reason: components["schemas"]["DisabledReasonEnum"] | (null);
            /** Format: date-time */
            disabled_at: string | null;
            /**
             * Format: date-time
             * @description When the first message since the last success failed.
             */
            failing_since: string | null;
            /**
             * Format: date-time
             * @description Until when messages are also signed with the old secret.
             */
            old_secret_until: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @description The secret that signs messages. Returned only once. */
            secret: string;
        };
        /**
         * @description A condition has one of four forms.
         *
         *     A lookup tests one key of the metadata. `lookup` defaults to `key_lookup`.
         *
         *         {"key": "year", "value": 2024}
         *         {"key": "year", "value": 2024, "lookup": "contains"}        metadata @> {"year": 2024}
         *         {"key": "year", "value": 2024, "lookup": "contained_by"}    metadata <@ {"year": 2024}: also true for {}
         *         {"key": "year", "lookup": "has_key"}
         *         {"key": ["year", "author"], "lookup": "has_keys"}           or has_any_keys; no value, no nested keys
         *
         *     A comparison has an `op`. Its `key` is one key, taken literally, or a list of keys that leads to a nested value.
         *
         *         {"key": "year", "op": "gte", "value": 2020}
         *         {"key": ["source", "pages.total"], "op": "eq", "value": 12}
         *         {"key": "state", "op": "in", "value": ["draft", "final"]}
         *         {"key": "signed", "op": "lt", "value": {"date": "2024-06-30"}}
         *         {"key": "signed", "op": "gte", "value": {"datetime": "2024-06-30T09:30:00+02:00"}}
         *         {"key": "tags", "op": "contains", "value": "invoice"}
         *         {"key": "number", "op": "starts_with", "value": "INV-"}
         *         {"key": "author", "op": "exists"}
         *
         *     - `eq` and `ne` compare type and value: 2024 equals 2024.0, but neither "2024" nor true; null equals only a stored null.
         *     - `gt`, `gte`, `lt`, `lte` compare numbers with numbers, and text with text by code point. Other types never match.
         *     - A `date` is a whole day in UTC: `lte` includes that day, and `eq` means within it. A `datetime` is an instant. Both
         *       compare with texts such as "2024-06-30", "2024-06-30 09:30" or "2024-06-30T09:30:00.5+02:00"; without a zone these are
         *       in UTC. Other texts and types never match.
         *     - `contains` is true for a list that has the value as an element and, if the value is text, for a text that has it as a
         *       substring; case matters.
         *     - `starts_with` and `ends_with` are true for a text that begins or ends with the value; case matters.
         *     - `in` is `eq` with any of the values. An empty list matches nothing.
         *
         *     Conditions combine.
         *
         *         {"and": [..., ...]}    {"or": [..., ...]}    {"not": ...}
         *
         *     Every condition is either true or false: `not` and `ne` are true wherever the inner condition is false, including where
         *     the key is missing. Add `exists` to require it.
         *
         *     `on` selects whose metadata is tested, "document" (the default) or "collection". In an `and`, `or` or `not` it applies
         *     to all conditions inside; a condition on collections cannot contain conditions on documents.
         *
         *     Fields that are null count as absent, except the `value` of `eq`, `ne` and `contains`; so does `"value": ""` where no
         *     value is allowed. Unknown fields are rejected. Operators and lookups are case-sensitive.
         */
        FilterInRequest: {
            /**
             * @default document
             * @enum {string}
             */
            on?: "document" | "collection";
            key?: string | string[];
            value?: unknown;
            /**
             * @default key_lookup
             * @enum {string}
             */
            lookup?: "key_lookup" | "contains" | "contained_by" | "has_key" | "has_keys" | "has_any_keys";
            /** @enum {string} */
            op?: "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "contains" | "starts_with" | "ends_with" | "exists";
            and?: components["schemas"]["FilterInRequest"][];
            or?: components["schemas"]["FilterInRequest"][];
            not?: components["schemas"]["FilterInRequest"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listCollections: {
        parameters: {
            query?: {
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionOut"][];
                };
            };
        };
    };
    createCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key of your choice, up to 255 characters. The same request with the same key takes effect once; its response is stored for 24 hours, and counts towards the quota until then. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CollectionInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionOut"];
                };
            };
        };
    };
    getCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description Return 304 if this is the current ETag. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description Name of the collection; a `/` in it may be sent as `/` or `%2F`. */
                collection_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionOut"];
                };
            };
        };
    };
    deleteCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description Fail with 412 unless this is the current ETag. */
                "If-Match"?: string;
            };
            path: {
                /** @description Name of the collection; a `/` in it may be sent as `/` or `%2F`. */
                collection_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description Fail with 412 unless this is the current ETag. */
                "If-Match"?: string;
            };
            path: {
                /** @description Name of the collection; a `/` in it may be sent as `/` or `%2F`. */
                collection_name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedCollectionChangeRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionOut"];
                };
            };
        };
    };
    getCollectionQuality: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the collection; a `/` in it may be sent as `/` or `%2F`. */
                collection_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QualityOut"];
                };
            };
        };
    };
    difyRetrieval: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetrievalInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetrievalOut"];
                };
            };
        };
    };
    listDocuments: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description `pages` adds every page with its image in base64. Other values are ignored. */
                expand?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"][];
                };
            };
        };
    };
    getDocument: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
                /** @description `pages` adds every page with its image in base64. Other values are ignored. */
                expand?: string;
            };
            header?: {
                /** @description Return 304 if this is the current ETag. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"];
                };
            };
        };
    };
    deleteDocument: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: {
                /** @description Fail with 412 unless this is the current ETag. */
                "If-Match"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateDocument: {
        parameters: {
            query?: never;
            header?: {
                /** @description Fail with 412 unless this is the current ETag. */
                "If-Match"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedDocumentChangeRequest"];
                "multipart/form-data": components["schemas"]["PatchedDocumentChangeRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"];
                };
            };
        };
    };
    cancelDocument: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: never;
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"];
                };
            };
        };
    };
    streamDocumentEvents: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: {
                /** @description Id of the last event you received; its state is not sent again. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["EventOut"];
                };
            };
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getPage: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: never;
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
                /** @description Starts at 1. */
                page_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageDetailOut"];
                };
            };
        };
    };
    getPageImage: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
                /** @description The image's ETag without quotes. With it the response may be cached forever. */
                v?: string;
            };
            header?: {
                /** @description Return 304 if this is the current ETag. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
                /** @description Starts at 1. */
                page_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": string;
                    "image/png": string;
                };
            };
        };
    };
    retryDocument: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: never;
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"];
                };
            };
        };
    };
    deleteDocumentCompatible: {
        parameters: {
            query?: {
                /** @description The collection to look in; `all` for every collection. */
                collection_name?: string;
            };
            header?: {
                /** @description Fail with 412 unless this is the current ETag. */
                "If-Match"?: string;
            };
            path: {
                /** @description Name of the document; a `/` in it may be sent as `/` or `%2F`. */
                document_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    upsertDocument: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key of your choice, up to 255 characters. The same request with the same key takes effect once; its response is stored for 24 hours, and counts towards the quota until then. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DocumentInRequest"];
                "multipart/form-data": components["schemas"]["DocumentInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentOut"];
                };
            };
            /** @description Accepted; processing continues in the background. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentAccepted"];
                };
            };
        };
    };
    upsertDocuments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "multipart/form-data": components["schemas"]["DocumentsInRequest"];
            };
        };
        responses: {
            /** @description Accepted; processing continues in the background. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentsAccepted"];
                };
            };
        };
    };
    createEmbeddings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmbeddingsInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbeddingsOut"];
                };
            };
        };
    };
    listEvaluations: {
        parameters: {
            query?: {
                /** @description Only evaluations of this collection; default: of all. */
                collection_name?: string;
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationOut"][];
                };
            };
        };
    };
    createEvaluation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key of your choice, up to 255 characters. The same request with the same key takes effect once; its response is stored for 24 hours, and counts towards the quota until then. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EvaluationInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationOut"];
                };
            };
        };
    };
    getEvaluation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationOut"];
                };
            };
        };
    };
    deleteEvaluation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listEvaluationRuns: {
        parameters: {
            query?: {
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"][];
                };
            };
        };
    };
    startEvaluationRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key of your choice, up to 255 characters. The same request with the same key takes effect once; its response is stored for 24 hours, and counts towards the quota until then. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RunInRequest"];
            };
        };
        responses: {
            /** @description Accepted; processing continues in the background. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"];
                };
            };
        };
    };
    getEvaluationRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
                /** @description The run's `id`. */
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"];
                };
            };
        };
    };
    deleteEvaluationRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
                /** @description The run's `id`. */
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    cancelEvaluationRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
                /** @description The run's `id`. */
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOut"];
                };
            };
        };
    };
    compareEvaluationRuns: {
        parameters: {
            query: {
                /** @description The `id` of the run to compare with. */
                baseline: number;
            };
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
                /** @description The run's `id`. */
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComparisonOut"];
                };
            };
        };
    };
    listEvaluationRunQuestions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The evaluation's `id`. */
                evaluation_id: number;
                /** @description The run's `id`. */
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuestionOut"][];
                };
            };
        };
    };
    getFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From the link. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
        };
    };
    getSignedPageImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From the link. */
                image_token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": string;
                    "image/png": string;
                };
            };
        };
    };
    getSignedPageThumbnail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From the link. */
                thumbnail_token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": string;
                };
            };
        };
    };
    filter: {
        parameters: {
            query?: {
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description `pages` adds every page with its image in base64. Other values are ignored. */
                expand?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FilterInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterHit"][];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthOut"];
                };
            };
        };
    };
    fileToBase64: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["FileInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Base64Out"];
                };
            };
        };
    };
    fileToImages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["FileInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageOut"][];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Only jobs of this collection; default, or `all`: of every collection. */
                collection_name?: string;
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
                /** @description Only jobs with this status; default: all of them. */
                status?: "cancelled" | "embedding" | "failed" | "fetching" | "queued" | "rendering";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobOut"][];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description The page to return, from the `Link` header of the previous response. */
                cursor?: string;
                /** @description The maximum number of keys to return. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"][];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyMinted"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: {
                /** @description `descendants`: also revoke every key that this one created, that those created, and so on. */
                with?: "descendants";
            };
            header?: never;
            path: {
                /** @description The key's `id`, as in the list of keys. */
                key_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    rotateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key's `id`, as in the list of keys. */
                key_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RotationInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyMinted"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeOut"];
                };
            };
        };
    };
    getProgress: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProgressOut"];
                };
            };
        };
    };
    search: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SearchInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchOut"];
                };
            };
        };
    };
    searchImage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SearchImageInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerOut"];
                };
            };
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageOut"];
                };
            };
        };
    };
    addWebhookCompatible: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ColiVarasWebhookInRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ColiVarasWebhookOut"];
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: {
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookOut"][];
                };
            };
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookInRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecret"];
                };
            };
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookOut"];
                };
            };
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedWebhookChangeRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookOut"];
                };
            };
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description Position of the next page, from the `Link` header. */
                cursor?: string;
                /** @description Maximum number of rows; default: the largest. */
                limit?: number;
                /** @description Only deliveries with this status; default: all. */
                status?: "delivered" | "failed" | "pending";
            };
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryOut"][];
                };
            };
        };
    };
    replayWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The delivery's `id`. */
                delivery_id: number;
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted; processing continues in the background. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryOut"];
                };
            };
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SecretRotationRequest"];
            };
        };
        responses: {
            /** @description OK. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecret"];
                };
            };
        };
    };
    testWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The webhook's `id`. */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted; processing continues in the background. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryOut"];
                };
            };
        };
    };
}
