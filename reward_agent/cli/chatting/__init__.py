"""The terminal of `reward-agent chat`: lines in, commands, what is shown. The session itself is `reward_agent.chat`."""
