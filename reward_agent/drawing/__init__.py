"""Pictures of numbers and of programs as HTML and SVG: no script in them, and everything that came from outside escaped."""
