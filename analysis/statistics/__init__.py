"""Coefficients, intervals, permutations: arrays in, numbers out."""
