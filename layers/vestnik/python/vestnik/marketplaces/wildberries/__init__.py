"""Wildberries: what its API asks and answers, as data (see the files beside this one)."""
