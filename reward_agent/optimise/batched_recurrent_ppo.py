"""sb3-contrib's PPO with a memory, made for many environments: the same rollouts and updates, less done for each.

Rewards of a whole rollout, and values of the states that were cut by the horizon, are asked for in one batch each after
it; an update goes through each batch's sequences in one call of the memory.
"""

from __future__ import annotations

import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.buffers import RecurrentRolloutBuffer
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.callbacks import BaseCallback

from reward_agent.optimise.normalise import Normalise

States = tuple[torch.Tensor, torch.Tensor]
Ended = tuple[int, int, np.ndarray, torch.Tensor, torch.Tensor]
"""Step, row, the last observation, and what the critic's memory held then."""


class SequencePolicy(RecurrentActorCriticPolicy):  # type: ignore[misc]
    """The library's own goes step by step in Python wherever an episode begins. But the rollout buffer cuts sequences
    there, so that an episode begins at the first step of one or nowhere in it: to empty the memory before that step is
    the same. Sequences of another kind take the library's way.
    """

    @staticmethod
    def _process_sequence(
        features: torch.Tensor, lstm_states: States, episode_starts: torch.Tensor, lstm: torch.nn.LSTM
    ) -> tuple[torch.Tensor, States]:
        """See the library's: the features `(S * T, F)` and starts `(S * T,)` of S sequences, padded to T steps each."""
        sequences = lstm_states[0].shape[1]
        starts = episode_starts.reshape(sequences, -1)
        if starts[:, 1:].any():
            own: tuple[torch.Tensor, States] = RecurrentActorCriticPolicy._process_sequence(
                features, lstm_states, episode_starts, lstm
            )
            return own
        keep = (1.0 - starts[:, 0]).view(1, sequences, 1)
        inputs = features.reshape(sequences, -1, lstm.input_size).swapaxes(0, 1)
        outputs, states = lstm(inputs, (keep * lstm_states[0], keep * lstm_states[1]))
        return outputs.swapaxes(0, 1).flatten(0, 1), states


class BatchedRecurrentPPO(RecurrentPPO):  # type: ignore[misc]
    """For flat observations, flat or discrete actions, and the environments of a task."""

    _last_obs: np.ndarray
    _last_episode_starts: np.ndarray
    _last_lstm_states: RNNStates

    def collect_rollouts(
        self, env: Normalise, callback: BaseCallback, rollout_buffer: RecurrentRolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill `rollout_buffer`. The callback hears of the rollout's start and end, not of single steps."""
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        cut: list[Ended] = []
        unknown = np.zeros(env.num_envs)
        for step in range(n_rollout_steps):
            observations, starts, states = self._last_obs, self._last_episode_starts, self._last_lstm_states
            with torch.no_grad():
                actions, values, log_probs, following = self.policy(
                    torch.from_numpy(observations), states, torch.from_numpy(starts.astype(np.float32))
                )
            chosen = actions.numpy().reshape(env.num_envs, -1)
            rollout_buffer.add(observations, chosen, unknown, starts, values, log_probs, lstm_states=states)
            env.step_async(chosen)
            self._last_obs, dones, infos = env.advance()
            self._last_episode_starts, self._last_lstm_states = dones, following
            for row in np.flatnonzero(dones):
                if infos[row]["TimeLimit.truncated"]:
                    hidden, cell = (state[:, row] for state in following.vf)
                    cut.append((step, int(row), infos[row]["terminal_observation"], hidden, cell))
        self.num_timesteps += n_rollout_steps * env.num_envs
        rollout_buffer.rewards[:] = env.rewards().rewards
        self._complete(rollout_buffer, cut)
        callback.on_rollout_end()
        return True

    def _complete(self, buffer: RecurrentRolloutBuffer, cut: list[Ended]) -> None:
        """The bootstrap of episodes that the horizon cut, returns and advantages."""
        starts = self._last_episode_starts
        with torch.no_grad():
            if cut:
                # such an episode goes on beyond the horizon: its last reward takes in the value from there
                at_step, at_row, ends, hidden, cell = zip(*cut, strict=True)
                held = (torch.stack(hidden, dim=1), torch.stack(cell, dim=1))
                none_begins = torch.zeros(len(cut))
                beyond = self.policy.predict_values(torch.from_numpy(np.stack(ends)), held, none_begins)
                buffer.rewards[at_step, at_row] += self.gamma * beyond.numpy()[:, 0]
            last = self.policy.predict_values(
                torch.from_numpy(self._last_obs), self._last_lstm_states.vf, torch.from_numpy(starts.astype(np.float32))
            )
        buffer.compute_returns_and_advantage(last_values=last, dones=starts)
