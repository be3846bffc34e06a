import type { components, operations } from "./generated/openapi.js";
import type { OPERATIONS } from "./generated/operations.js";

type Schemas = components["schemas"];

export type Collection = Schemas["CollectionOut"];
export type CollectionChange = Schemas["PatchedCollectionChangeRequest"];
export type Comparison = Schemas["ComparisonOut"];
export type Delivery = Schemas["DeliveryOut"];
export type Document = Schemas["DocumentOut"];
export type DocumentAccepted = Schemas["DocumentAccepted"];
export type DocumentsAccepted = Schemas["DocumentsAccepted"];
export type Embeddings = Schemas["EmbeddingsOut"];
export type Evaluation = Schemas["EvaluationOut"];
export type EvaluationQuestion = Schemas["QuestionOut"];
export type EvaluationRun = Schemas["RunOut"];
export type Filter = Schemas["FilterInRequest"];
export type FilterHit = Schemas["FilterHit"];
export type Health = Schemas["HealthOut"];
export type Hit = Schemas["HitOut"];
export type Job = Schemas["JobOut"];
export type Key = Schemas["KeyOut"];
export type NewKey = Schemas["KeyMinted"];
export type Me = Schemas["MeOut"];
export type Page = Schemas["PageDetailOut"];
export type Progress = Schemas["ProgressOut"];
export type Quality = Schemas["QualityOut"];
export type QueryPart = Schemas["PartInRequest"];
export type SearchRequest = Schemas["SearchInRequest"];
export type SearchResult = Schemas["SearchOut"];
export type SearchImageRequest = Schemas["SearchImageInRequest"];
export type SearchImageResult = Schemas["AnswerOut"];
export type Usage = Schemas["UsageOut"];
export type Webhook = Schemas["WebhookOut"];
export type WebhookWithSecret = Schemas["WebhookWithSecret"];

/** Every operation of the API, by its id in the OpenAPI document. */
export type OperationId = keyof typeof OPERATIONS;

type Operation<Id extends OperationId> = operations[Id];
type Content<T> = T extends { content: infer C } ? C : never;
type Json<T> = T extends { "application/json": infer J } ? J : never;
type Answers<R> = Json<Content<R[keyof R & (200 | 201 | 202)]>>;

export type PathOf<Id extends OperationId> = NonNullable<Operation<Id>["parameters"]["path"]>;
export type QueryOf<Id extends OperationId> = NonNullable<Operation<Id>["parameters"]["query"]>;
export type BodyOf<Id extends OperationId> = Operation<Id> extends { requestBody?: infer B }
  ? Json<Content<NonNullable<B>>>
  : never;
/** What an operation returns; undefined if its answer has no body. */
export type AnswerOf<Id extends OperationId> = [Answers<Operation<Id>["responses"]>] extends [never]
  ? undefined
  : Answers<Operation<Id>["responses"]>;
/** A row of a list. */
export type RowOf<Id extends OperationId> = AnswerOf<Id> extends (infer Row)[] ? Row : never;
