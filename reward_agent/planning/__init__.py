"""Planning instead of learning: sampled action sequences are played in imagination, and the best one is begun.

`splines` turns few numbers into many actions, `samplers` improves them by their returns, `imagination` plays them,
`planner` does so again and again as the world goes on, `performance` plays an episode that way.
"""
