"""Sweeps: tasks by methods by models by seeds out of one YAML file, as runs side by side that survive anything.

`spec` reads the file, `options` and `jobs` make runs of it, `estimate` says what they take, `conduct` has an `executor`
do them (`work` is what one job does in its process), `folder` knows what is done, and `rows`, `table` and `curves` tell
what came out.
"""
