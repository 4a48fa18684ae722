"""Rewards by hand, one a task or several: programs in the contract, never imported."""
