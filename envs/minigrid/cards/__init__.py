"""Task cards: a module each, with `task = Task(...)`. Copy one to make a task of your own."""
