export { Client } from "./client.js";
export { responseOf } from "./core.js";
export type { ResponseInfo } from "./core.js";
export {
  APIError, BadRequest, Conflict, ConnectionFailed, DeadlineExceeded, Forbidden, InvalidRequest, InvalidResponse, NotFound, NotModified,
  PaliAPIError, ProcessingFailed, QuotaExceeded, RateLimited, ServerError, ServiceUnavailable, Stale, TooLarge, Unauthorized,
  WebhookVerificationFailed,
} from "./errors.js";
export type { ErrorPlace } from "./errors.js";
export { List } from "./list.js";
export type { ClientOptions, RequestOptions } from "./options.js";
export type { FolderOptions, FolderReport, FolderResult } from "./resources/folder.js";
export type { FileUpload, JobEvent, UploadOptions } from "./resources/documents.js";
export type * from "./schemas.js";
export type { Source } from "./sources.js";
export { verifyWebhook } from "./verify.js";
export type { VerifyOptions, WebhookMessage } from "./verify.js";
