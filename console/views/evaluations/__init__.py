"""Pages of evaluations: questions with judged answers, and how well each ranking finds them."""
