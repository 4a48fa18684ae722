"""Task cards of the hand: the eight of Language to Rewards."""
