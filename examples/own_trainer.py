"""A reward in the contract, under a trainer of your own: a stable-baselines3 `VecEnv` with the reward in its sandbox.

python examples/own_trainer.py --steps 50000
"""

from __future__ import annotations

import argparse

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from reward_agent import Program, as_vec_env, check

TASK = "mujoco/hopper-forward"
REWARD = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Run forward, upright, without wasting force."""
    terms = {
        "forward": next_state.torso.linear_velocity[:, 0],
        "upright": gaussian(pitch(next_state.torso.orientation), 0.3),
        "effort": -1e-3 * (action ** 2).sum(-1),
    }
    return sum(terms.values()), terms
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000)
    args = parser.parse_args()

    verdict = check(Program(REWARD), TASK)
    print(f"fit for training: {verdict.ok}; terms: {', '.join(verdict.term_names)}; portable: {verdict.portable}")
    env = VecMonitor(as_vec_env(TASK, Program(REWARD), num_envs=32, seed=0))
    model = PPO("MlpPolicy", env, n_steps=128, batch_size=1024, n_epochs=5, device="cpu", seed=0)
    model.learn(args.steps)
    episodes = list(model.ep_info_buffer)
    print(f"last {len(episodes)} episodes: return {sum(e['r'] for e in episodes) / max(len(episodes), 1):.1f}")
    env.close()


if __name__ == "__main__":
    main()
