"""Errors about evaluations and their runs."""

from paliapi.errors import Conflict, Invalid, LimitReached, NotFound


class EvaluationNotFound(NotFound):
    code = "evaluation_not_found"
    title = "Evaluation not found."


class EvaluationRunNotFound(NotFound):
    code = "evaluation_run_not_found"
    title = "Run not found."


class TooManyEvaluations(LimitReached):
    code = "too_many_evaluations"
    title = "This account has reached its limit of evaluations; delete some."


class TooManyEvaluationRuns(LimitReached):
    code = "too_many_evaluation_runs"
    title = "This evaluation has reached its limit of runs; delete some."


class EvaluationRunning(Conflict):
    code = "evaluation_running"
    title = "A run of this evaluation is not finished; wait for it, or cancel it."


class EvaluationRunOver(Conflict):
    code = "evaluation_run_over"
    title = "This run is over, so it cannot be cancelled."


class EvaluationRunUnfinished(Conflict):
    code = "evaluation_run_unfinished"
    title = "Only runs that are done have results to show or compare."


class NothingToEvaluate(Invalid):
    code = "nothing_to_evaluate"
    title = "The collection has no pages that these rankings could find."


class EvaluationBrokeOff(Invalid):
    code = "evaluation_broke_off"
    title = "The run ended unexpectedly several times; start another one."


class EvaluationTookTooLong(Invalid):
    code = "evaluation_took_too_long"
    title = "The run was not done within seven days; start another one."
