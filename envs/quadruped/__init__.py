"""The `quadruped` world: a robot of our own making that is told what to do by reward parameters.

`quadruped.xml` is the model, `robot` what is around it, `names` what its parts are called, `parameters` and
`primitives` what can be called to set a reward; `cards/` has one card a task, `experts/` a reward by hand for each.
"""
