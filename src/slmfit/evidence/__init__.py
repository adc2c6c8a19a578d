"""Numbers in, numbers and words out: scores, their intervals, the spread over training seeds, the verdict."""
