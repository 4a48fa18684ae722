"""stable-baselines3's PPO with a rollout made for many environments: the same algorithm, less done a step.

A step asks the network for actions alone; rewards, values and log-probabilities of the whole rollout, and values of the
states that were truncated, come after it in one batch each. An update does without what is only logged or checked.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback

from reward_agent.optimise.heads import Categorical, Gaussian, Head
from reward_agent.optimise.normalise import Normalise

KL_LEEWAY = 1.5
"""Times `target_kl`, above which an update ends: stable-baselines3's."""


class Tanh(torch.nn.Tanh):
    """By NumPy, which is several times faster at it than PyTorch."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not torch.is_grad_enabled():
            return torch.from_numpy(np.tanh(values.numpy()))
        result: torch.Tensor = _Tanh.apply(values)  # type: ignore[no-untyped-call]
        return result


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: torch.Tensor) -> torch.Tensor:
        result = torch.from_numpy(np.tanh(values.detach().numpy()))
        context.save_for_backward(result)
        return result

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        (result,) = context.saved_tensors
        before: torch.Tensor = torch.ops.aten.tanh_backward(gradient, result)
        return before


class BatchedPPO(PPO):  # type: ignore[misc]
    """For flat observations, flat or discrete actions, and the environments of a task."""

    threads = 1
    """Of an update: 2 give actor and critic one each."""
    _last_obs: np.ndarray
    _last_episode_starts: np.ndarray

    @cached_property
    def head(self) -> Head:
        """What the outputs of the policy's network mean."""
        discrete = isinstance(self.action_space, Discrete)
        return Categorical(int(self.action_space.n)) if discrete else Gaussian(self.policy)

    def collect_rollouts(
        self, env: Normalise, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill `rollout_buffer`. The callback hears of the rollout's start and end, not of single steps."""
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        truncated: list[tuple[int, int, np.ndarray]] = []
        noise = self.head.noise(n_rollout_steps, env.num_envs)
        observations, starts = self._last_obs, self._last_episode_starts
        for step in range(n_rollout_steps):
            actions = self.head.choose(self._outputs(observations), noise[step])
            rollout_buffer.observations[step] = observations
            rollout_buffer.actions[step] = actions
            rollout_buffer.episode_starts[step] = starts
            env.step_async(actions)
            observations, dones, infos = env.advance()
            starts = dones
            if dones.any():
                truncated += [
                    (step, int(row), infos[row]["terminal_observation"])
                    for row in np.flatnonzero(dones)
                    if infos[row]["TimeLimit.truncated"]
                ]
        self.num_timesteps += n_rollout_steps * env.num_envs
        self._last_obs, self._last_episode_starts = observations, starts
        rollout_buffer.rewards[:] = env.rewards().rewards
        self._complete(rollout_buffer, truncated)
        callback.on_rollout_end()
        return True

    def _outputs(self, observations: np.ndarray) -> np.ndarray:
        """Of the policy's last layer, `(N, outputs)`."""
        with torch.inference_mode():
            hidden = self.policy.mlp_extractor.policy_net(torch.from_numpy(observations))
            outputs: np.ndarray = self.policy.action_net(hidden).numpy()
            return outputs

    def _complete(self, buffer: RolloutBuffer, truncated: list[tuple[int, int, np.ndarray]]) -> None:
        """Values, log-probabilities, the bootstrap of truncated episodes, returns and advantages."""
        steps, rows = buffer.rewards.shape
        with torch.no_grad():
            values, log_probs, _ = self.policy.evaluate_actions(
                torch.from_numpy(buffer.observations.reshape(steps * rows, -1)),
                torch.from_numpy(buffer.actions.reshape(steps * rows, *self.action_space.shape)),
            )
            last = self.policy.predict_values(torch.from_numpy(self._last_obs))
            if truncated:
                # an episode cut by the horizon goes on beyond it: its last reward takes in the value from there
                at_step, at_row, ends = zip(*truncated, strict=True)
                beyond = self.policy.predict_values(torch.from_numpy(np.stack(ends))).numpy()[:, 0]
                buffer.rewards[at_step, at_row] += self.gamma * beyond
        buffer.values[:] = values.numpy().reshape(steps, rows)
        buffer.log_probs[:] = log_probs.numpy().reshape(steps, rows)
        buffer.pos, buffer.full = steps, True
        buffer.compute_returns_and_advantage(last_values=last, dones=self._last_episode_starts)

    def train(self) -> None:
        """`PPO.train` on what this class is made for: the same batches and gradients, without logging and checks.

        Actor and critic share no weights, so that with two `threads` each has its own: the same sums, sooner.
        """
        policy, buffer = self.policy, self.rollout_buffer
        policy.set_training_mode(True)
        self._update_learning_rate(policy.optimizer)
        clip = self.clip_range(self._current_progress_remaining)
        parameters = list(policy.parameters())
        size = buffer.buffer_size * buffer.n_envs
        # time first, then environment: the order of SB3's own buffer, so that a permutation means the same rows
        rows = [
            torch.from_numpy(np.ascontiguousarray(array.swapaxes(0, 1)).reshape(size, *array.shape[2:]))
            for array in (buffer.observations, buffer.actions, buffer.log_probs, buffer.advantages, buffer.returns)
        ]
        with ThreadPoolExecutor(1) as beside:
            for _ in range(self.n_epochs):
                self._n_updates += 1
                order = torch.from_numpy(np.random.permutation(size))
                shuffled = (torch.split(array[order], self.batch_size) for array in rows)
                for observations, actions, log_probs, advantages, returns in zip(*shuffled, strict=True):
                    policy.optimizer.zero_grad()
                    critic = partial(self._critic_gradients, observations, returns)
                    critic_done = beside.submit(critic) if self.threads > 1 else critic()
                    moved = self._actor_gradients(observations, actions, log_probs, advantages, clip=clip)
                    if critic_done:
                        critic_done.result()
                    if self._too_far(moved):
                        return
                    torch.nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
                    policy.optimizer.step()

    def _too_far(self, moved: torch.Tensor) -> bool:
        """Whether the policy left the rollout's by more than `target_kl`, as `PPO.train` tells it, before a step.

        Args:
            moved: log-probabilities of a batch less those of the rollout.
        """
        if self.target_kl is None:
            return False
        divergence = float((torch.exp(moved) - 1 - moved).mean())
        return bool(divergence > KL_LEEWAY * self.target_kl)

    def _critic_gradients(self, observations: torch.Tensor, returns: torch.Tensor) -> None:
        """Of the value's error on a batch, weighted."""
        policy = self.policy
        values = policy.value_net(policy.mlp_extractor.value_net(observations)).squeeze(1)
        torch.autograd.backward(self.vf_coef * torch.nn.functional.mse_loss(values, returns))

    def _actor_gradients(
        self,
        observations: torch.Tensor,
        actions: torch.Tensor,
        old_log_probs: torch.Tensor,
        advantages: torch.Tensor,
        *,
        clip: float,
    ) -> torch.Tensor:
        """Of the clipped surrogate and the entropy of a batch, weighted; how far its log-probabilities have moved."""
        policy = self.policy
        outputs = policy.action_net(policy.mlp_extractor.policy_net(observations))
        log_probs, entropy = self.head.likelihood(outputs, actions)
        if len(advantages) > 1:  # one alone has no deviation
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        moved = log_probs - old_log_probs
        ratio = torch.exp(moved)
        surrogate = torch.minimum(advantages * ratio, advantages * ratio.clamp(1 - clip, 1 + clip)).mean()
        torch.autograd.backward(-surrogate - self.ent_coef * entropy)
        return moved.detach()
