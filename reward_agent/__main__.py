"""`python -m reward_agent` is `reward-agent`."""

import sys

from reward_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
