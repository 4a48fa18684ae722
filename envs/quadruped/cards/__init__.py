"""Task cards of the quadruped: the nine of Language to Rewards."""
