"""Reward parameters by hand, compiled: each program's docstring has the calls."""
