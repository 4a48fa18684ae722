"""From a sentence to a reward program and a trained policy."""
