"""From a plan to a reward program in the contract, its calls in the docstring; and back from that docstring."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping

from reward_agent.parameters.api import RewardApi, Term
from reward_agent.parameters.calls import read_calls
from reward_agent.parameters.plan import Phase, Plan, gather
from reward_agent.program import Fault, Program
from reward_agent.sandbox.protocol import MAX_TERMS

HEADING = "Reward parameters:"

NEAR = '''
def near(error, scale):
    """0 at the target, -0.41 at `scale` from it, and falling by one a `scale` further away (pseudo-Huber)."""
    return 1.0 - np.sqrt(1.0 + (error / scale) ** 2)
'''


def compile_plan(plan: Plan, api: RewardApi) -> Program | Fault:
    """The reward program of a plan; a fault where it has more terms than a program may."""
    by_name: dict[str, dict[int, str]] = {}
    for number, phase in enumerate(plan.phases):
        for term in _terms(phase, api):
            # where two functions set the same, the later one does
            by_name.setdefault(term.name, {})[number] = term.expression
    if len(by_name) > MAX_TERMS:
        return Fault("check", f"This sets {len(by_name)} targets; at most {MAX_TERMS} may be set at once.")
    lines = [f'"{name}": {_sum(parts, len(plan.phases))},' for name, parts in by_name.items()]
    body = "terms = {\n" + textwrap.indent("\n".join(lines), "    ") + "\n}\nreturn sum(terms.values()), terms"
    calls = "\n".join(map(str, plan.calls()))
    entry = (
        f'def compute_reward(state, action, next_state):\n    """{HEADING}\n\n'
        f'{textwrap.indent(calls, "    ")}\n    """\n'
        f"{textwrap.indent(_clock(plan) + body, '    ')}\n"
    )
    used = _needed(api.definitions + NEAR, entry)
    return Program("import numpy as np\n\n\n" + "\n\n\n".join([*used, entry]))


def plan_in(program: Program, api: RewardApi) -> Plan | Fault | None:
    """The plan that a program was compiled from; None where it was not."""
    found = re.search(rf'"""{HEADING}\n(.*?)"""', program.source, re.DOTALL)
    if found is None:
        return None
    calls = read_calls(textwrap.dedent(found[1]), api, most=None)
    return calls if isinstance(calls, Fault) else gather(calls, api)


def _terms(phase: Phase, api: RewardApi) -> list[Term]:
    terms = [*_terms_of_calls(phase, api), *api.always]
    names = {term.name for term in terms}
    return [term for term in terms if term.unless not in names]


def _terms_of_calls(phase: Phase, api: RewardApi) -> Iterable[Term]:
    functions = api.by_name
    for call in phase.settings.values():
        function = functions[call.function]
        defaults = {a.name: a.default for a in function.arguments if a.default is not None}
        yield from function.terms({**defaults, **call.values})


def _sum(parts: Mapping[int, str], phases: int) -> str:
    """A term's expression, by phase where it is not the same in all of them; 0 in phases that do not have it."""
    alike: dict[str, list[int]] = {}
    for number, expression in parts.items():
        alike.setdefault(expression, []).append(number)
    return " + ".join(
        expression if len(numbers) == phases else f"np.where({_during(numbers, phases)}, {expression}, 0.0)"
        for expression, numbers in alike.items()
    )


def _during(numbers: list[int], phases: int) -> str:
    if numbers == list(range(numbers[0], phases)):
        return f"phase >= {numbers[0]}"
    return " | ".join(f"(phase == {number})" for number in numbers) if len(numbers) > 1 else f"phase == {numbers[0]}"


def _clock(plan: Plan) -> str:
    """Which phase a row is in, by the episode's time."""
    if len(plan.phases) == 1:
        return ""
    ends, at = [], 0.0
    for phase in plan.phases[:-1]:
        at += phase.seconds or 0.0
        ends.append(f"{at:g}")
    passed = " + ".join(f"(next_state.episode.time > {end})" for end in ends)
    return f"phase = 0 + {passed}\n"


def _needed(definitions: str, text: str) -> list[str]:
    """The definitions that `text` calls, and those that these call, in their order."""
    tree = ast.parse(definitions)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    sources = {node.name: ast.get_source_segment(definitions, node) or "" for node in functions}
    wanted: set[str] = set()
    while new := {n for n in sources.keys() - wanted if any(_calls(n, t) for t in (text, *map(sources.get, wanted)))}:
        wanted |= new
    return [source for name, source in sources.items() if name in wanted]


def _calls(name: str, text: str | None) -> bool:
    return re.search(rf"\b{name}\(", text or "") is not None
