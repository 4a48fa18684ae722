"""For mypy: `gymapi.pyi` beside this is laid here by scripts/mypy_isaacgym.py, mended from `isaacgym-stubs`."""
