"""Expert reward programs in the contract, one a task. They are read as text, never imported."""
