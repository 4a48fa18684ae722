"""The live view without a browser: what it takes, what it drops, who may look, and which simulations it can show."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import mujoco
import numpy as np
import pytest
from pointmass import pointmass_task

from reward_agent.envs.episodes import Episodes
from reward_agent.envs.registry import find_task
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.live import LiveView
from reward_agent.live.pace import Pace
from reward_agent.task import Viewpoint

MODEL = """
<mujoco><worldbody>
  <geom type="plane" size="5 5 1"/>
  <body name="ball" pos="0 0 1"><freejoint/><geom size="0.1"/></body>
  <body name="hand" mocap="true"><geom type="box" size="0.1 0.1 0.1"/></body>
</worldbody></mujoco>
"""
view = pytest.mark.needs("view")


@pytest.fixture
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(MODEL)


def pose(model: mujoco.MjModel, height: float) -> np.ndarray:
    qpos: np.ndarray = model.qpos0.copy()
    qpos[2] = height
    return qpos


@view
def test_poses_that_cannot_be_drawn_in_time_are_dropped_and_the_last_one_stays(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        threads = [
            threading.Thread(target=lambda: [shown.show(pose(model, i), time=i * 0.01) for i in range(1000)])
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        shown.show(pose(model, 5), time=99.0)
        assert shown.settle()
        assert shown.drawn + shown.dropped == 2001
        assert 0 < shown.drawn < 1000
        assert shown.shown == 99.0


@view
def test_a_pose_belongs_to_the_view_once_it_is_given(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        qpos, hand = pose(model, 3.0), (np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0, 0.0, 0.0]]))
        shown.show(qpos, time=0.0)  # drawn at once; the next two find it resting
        assert shown.settle()
        shown.show(qpos, time=1.0, mocap=hand)
        qpos[2] = hand[0][0, 0] = 7.0
        assert shown.settle()
        data = shown._page._data
        assert data.body("ball").xpos[2] == 3.0
        assert data.body("hand").xpos.tolist() == [1.0, 2.0, 3.0]
        shown.show(np.full(model.nq, np.nan), time=2.0)
        assert shown.settle()
        assert shown.shown == 1.0


@view
def test_the_model_stays_as_it_was(model: mujoco.MjModel) -> None:
    before = model.vis.scale.framewidth, model.vis.rgba.contactforce.copy()
    with LiveView(model):
        assert model.vis.scale.framewidth == before[0]
        assert (model.vis.rgba.contactforce == before[1]).all()


@view
def test_what_is_no_pose_of_the_model_is_refused(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        for qpos, mocap in (
            (np.zeros(3), None),
            (model.qpos0, (np.zeros(3), np.zeros(4))),
        ):
            with pytest.raises(UsageError, match=r"qpos \(7,\)"):
                shown.show(qpos, time=0.0, mocap=mocap)


@view
def test_a_view_that_fails_says_so_and_is_waited_for_no_longer(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        shown._page._scene.server = None
        shown.show(model.qpos0, time=0.0)
        assert not shown.settle()
        with pytest.raises(RewardAgentError, match="AttributeError"):
            shown.show(model.qpos0, time=0.0)


@view
def test_ports(model: mujoco.MjModel, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = LiveView(model), LiveView(model)
    assert first.url != second.url
    assert first.url.startswith("http://127.0.0.1:")
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 is taken"):
        LiveView(model, port=port)
    with pytest.raises(UsageError, match="no port 70000"):
        LiveView(model, port=70000)
    first.close()
    first.close()
    first.show(model.qpos0, time=0.0)
    with LiveView(model, port=port) as again:
        assert again.url == first.url
    second.close()
    assert capsys.readouterr() == ("", "")


@view
def test_nothing_but_loopback_is_listened_on(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        port = int(shown.url.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        with pytest.raises(OSError):  # as any other address of the machine
            socket.create_connection(("127.0.0.2", port), timeout=10)


def talk(url: str, headers: dict[str, str], say: bytes = b"") -> bytes | int:
    """What the view says first on a connection, or with which code it ends."""
    from viser import __version__
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    port = int(url.rpartition(":")[2])
    address = f"ws://{headers.get('Host', f'127.0.0.1:{port}')}/"
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    origin: Any = headers.get("Origin")
    with connect(address, sock=made, origin=origin, subprotocols=[Subprotocol(f"viser-v{__version__}")]) as line:
        try:
            if say:
                line.send(say)
            heard = line.recv(timeout=30)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
    assert isinstance(heard, bytes)
    return heard


@view
def test_other_sites_are_told_nothing(model: mujoco.MjModel) -> None:
    with LiveView(model) as shown:
        here = shown.url.removeprefix("http://")
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"evil.example:{here.rpartition(':')[2]}"},
            {"Host": "127.0.0.1.evil.example"},
            {"Host": here, "Origin": "https://evil.example"},
            {"Host": here, "Origin": "http://127.0.0.1:1"},
            {"Host": here, "Origin": "null"},
        ):
            assert talk(shown.url, headers) == 1008, headers
        for headers in (
            {},
            {"Host": here, "Origin": shown.url},
            {"Host": "localhost:9000", "Origin": "http://localhost:9000"},
        ):
            assert isinstance(talk(shown.url, headers), bytes), headers


@view
def test_no_page_can_have_the_view_opened_to_the_internet(
    model: mujoco.MjModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec
    from viser import _viser

    asked = []

    def tunnel(*_: object) -> None:
        asked.append("tunnel")
        raise AssertionError

    monkeypatch.setattr(_viser, "ViserTunnel", tunnel)
    request = msgspec.msgpack.encode({"type": "ShareUrlRequest"})
    with LiveView(model) as shown:
        heard = threading.Event()
        handlers = shown._server._websock_server._incoming_handlers
        (kind,) = (kind for kind in handlers if kind.__name__ == "ShareUrlRequest")
        shown._server._websock_server.register_handler(kind, lambda *_: heard.set())
        assert isinstance(talk(shown.url, {}, request), bytes)
        assert heard.wait(30)
        shown._server._thread_executor.shutdown(wait=True)
        assert not asked


def test_missing_packages_are_named_with_the_command(model: mujoco.MjModel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("viser", "mjviser"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingComponentError, match=r"viser and mjviser not installed: pip install 'reward-agent\[v"):
        LiveView(model)


@pytest.mark.parametrize("name", ["mujoco/ant-forward", "quadruped/sit-down"])
def test_episodes_of_mujoco_models_can_be_posed(name: str) -> None:
    task = find_task(name)
    episodes = Episodes(task, 2, ())
    episodes.reset(np.ones(2, bool), np.array([1, 2]))
    posed = episodes.posed
    before = posed.pose(1)
    assert before.shape == (posed.model.nq,)
    assert posed.model.body(posed.viewpoint.body).name == "torso"
    kept = before.copy()
    episodes.step(np.tile(episodes.action_space.high, (2, 1)))
    assert (before == kept).all()
    assert (posed.pose(1) != kept).any()
    assert (posed.pose(0) != posed.pose(1)).any()
    data = mujoco.MjData(posed.model)
    data.qpos[:] = posed.pose(1)
    mujoco.mj_kinematics(posed.model, data)
    with_fields = Episodes(task, 2, ("torso.position",))
    with_fields.reset(np.ones(2, bool), np.array([1, 2]))
    with_fields.step(np.tile(episodes.action_space.high, (2, 1)))
    np.testing.assert_allclose(data.body("torso").xpos, with_fields.states[1], rtol=0, atol=1e-9)


def test_a_world_without_a_model_says_what_to_do_instead() -> None:
    task = pointmass_task()
    with pytest.raises(UsageError, match=f"{task.id} cannot be watched live.*a clip instead: `reward-agent play"):
        _ = Episodes(task, 1, ()).posed


@view
def test_what_travels_is_followed_and_what_is_held_is_not() -> None:
    for name, travels in (("mujoco/halfcheetah-run", True), ("mujoco/pusher-push", False)):
        posed = Episodes(find_task(name), 1, ()).posed
        with LiveView(posed.model, viewpoint=posed.viewpoint) as shown:
            assert (shown._page._followed is not None) is travels


@view
def test_the_first_look_is_that_of_clips(model: mujoco.MjModel) -> None:
    ball = Viewpoint(model.body("ball").id, (2.0, 90.0, 0.0))
    with LiveView(model, viewpoint=ball) as shown:
        camera = shown._server.initial_camera
        np.testing.assert_allclose(camera.look_at, [0, 0, 1], atol=1e-12)
        np.testing.assert_allclose(camera.position, [0, -2, 1], atol=1e-12)  # azimuth 90: looks along y


def test_pace() -> None:
    pace = Pace()
    assert pace.factor is None
    for step in range(101):
        pace.add(10.0 + step * 0.1, step * 0.05)
    assert pace.factor == pytest.approx(0.5)
    for step in range(30):
        pace.add(20.1 + step * 0.1, 5.0 + step * 0.3)  # it forgets that it was slow
    assert pace.factor == pytest.approx(3.0)
    pace.add(23.1, 0.0)  # another episode
    assert pace.factor is None
    pace.add(23.6, 0.5)
    assert pace.factor == pytest.approx(1.0)
