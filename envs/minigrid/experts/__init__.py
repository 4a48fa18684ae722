"""Expert reward programs in the contract, one for each kind of task. They are read as text, never imported."""
