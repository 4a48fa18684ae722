"""Prompt templates (Jinja), one folder a method. A user overrides any of them from a folder of their own."""
