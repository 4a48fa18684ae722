"""ManiSkill's tasks, a card each."""
