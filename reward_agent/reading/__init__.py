"""What a program's text says without running it: `reader.py` follows values, `rules.py` looks at the syntax.

Only hints for whoever wrote the program: the wall is the cell.
"""
