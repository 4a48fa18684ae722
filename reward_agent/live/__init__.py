"""A robot shown as it moves, in a page of the browser on this machine.

`view` takes poses from a simulation and drops what the page cannot keep up with, `page` is what is seen there, `server`
serves it on loopback alone, `pace` tells how simulated time goes by the clock's, `components` what has to be installed.
"""

from reward_agent.live.view import LiveView

__all__ = ["LiveView"]
