"""The page of an inference: the answer, the target among the runs of each rule, what decided."""
