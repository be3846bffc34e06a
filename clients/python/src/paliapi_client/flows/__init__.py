"""What happens between a call and its answer, without input or output: retries, deadlines, paging, following."""
