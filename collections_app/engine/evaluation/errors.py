"""Errors about questions and judgements."""

from paliapi.errors import Invalid


class QuestionsInvalid(Invalid):
    code = "questions_invalid"
    title = "The questions or judgements are invalid."
