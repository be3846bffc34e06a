import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { BodyOf, Comparison, Evaluation, EvaluationQuestion, EvaluationRun, QueryOf } from "../schemas.js";

/** Measurements of rankings with your own questions. */
export class Evaluations {
  readonly #core: Core;
  readonly runs: EvaluationRuns;

  constructor(core: Core) {
    this.#core = core;
    this.runs = new EvaluationRuns(core);
  }

  list(params: Omit<QueryOf<"listEvaluations">, "cursor"> = {}, options: RequestOptions = {}): List<Evaluation> {
    return listOf(this.#core, "listEvaluations", { query: params }, options);
  }

  create(name: string, params: Omit<BodyOf<"createEvaluation">, "name">, options: RequestOptions = {}): Promise<Evaluation> {
    return this.#core.call("createEvaluation", { body: { ...params, name } }, options);
  }

  get(id: number, options: RequestOptions = {}): Promise<Evaluation> {
    return this.#core.call("getEvaluation", { path: { evaluation_id: id } }, options);
  }

  delete(id: number, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("deleteEvaluation", { path: { evaluation_id: id } }, options);
  }
}

const POLL_MS = 1_000;

/** Runs of an evaluation. */
export class EvaluationRuns {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  list(evaluationId: number, params: { limit?: number } = {}, options: RequestOptions = {}): List<EvaluationRun> {
    return listOf(this.#core, "listEvaluationRuns", { path: { evaluation_id: evaluationId }, query: params }, options);
  }

  start(evaluationId: number, params: BodyOf<"startEvaluationRun"> = {}, options: RequestOptions = {}): Promise<EvaluationRun> {
    return this.#core.call("startEvaluationRun", { path: { evaluation_id: evaluationId }, body: params }, options);
  }

  get(evaluationId: number, runId: number, options: RequestOptions = {}): Promise<EvaluationRun> {
    return this.#core.call("getEvaluationRun", { path: { evaluation_id: evaluationId, run_id: runId } }, options);
  }

  /** Return the run when it is over, whatever its status is then. */
  async wait(evaluationId: number, runId: number, options: RequestOptions = {}): Promise<EvaluationRun> {
    const patience = this.#core.patience(options);
    for (;;) {
      const path = { evaluation_id: evaluationId, run_id: runId };
      const run = await this.#core.call("getEvaluationRun", { path }, options, patience);
      if (run.status !== "queued" && run.status !== "running") return run;
      await patience.sleep(POLL_MS);
    }
  }

  cancel(evaluationId: number, runId: number, options: RequestOptions = {}): Promise<EvaluationRun> {
    return this.#core.call("cancelEvaluationRun", { path: { evaluation_id: evaluationId, run_id: runId } }, options);
  }

  delete(evaluationId: number, runId: number, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("deleteEvaluationRun", { path: { evaluation_id: evaluationId, run_id: runId } }, options);
  }

  /** Compare a run with an earlier one, the baseline. */
  compare(evaluationId: number, runId: number, params: QueryOf<"compareEvaluationRuns">, options: RequestOptions = {}): Promise<Comparison> {
    const path = { evaluation_id: evaluationId, run_id: runId };
    return this.#core.call("compareEvaluationRuns", { path, query: params }, options);
  }

  /** Return the results of each question of a run. */
  questions(evaluationId: number, runId: number, options: RequestOptions = {}): Promise<EvaluationQuestion[]> {
    return this.#core.call("listEvaluationRunQuestions", { path: { evaluation_id: evaluationId, run_id: runId } }, options);
  }
}
