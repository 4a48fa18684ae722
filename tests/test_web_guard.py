"""Who may ask the page anything, what is refused, and what every response carries. Over a real socket."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_cli_runs import call
from web_for_tests import HOSTILE, Page, answer_of, clips_of, served, waiting_run

from reward_agent.errors import MissingComponentError
from reward_agent.web import components
from reward_agent.web.guard import MAX_BODY
from reward_agent.web.server import serve

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waiting_run(tmp_path_factory.mktemp("guard") / "runs")


@pytest.fixture(scope="module")
def page(run: Path) -> Iterator[Page]:
    with served("serve", cwd=run.parent.parent) as page:
        yield page


def test_it_listens_on_this_machine_alone(page: Page) -> None:
    assert urlsplit(page.link).hostname == "127.0.0.1"
    listening = "0A"
    bound = {
        local.partition(":")[0]
        for table in ("tcp", "tcp6")
        for _, local, _, state, *_ in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if state == listening and int(local.partition(":")[2], 16) == page.port
    }
    assert bound == {socket.inet_aton("127.0.0.1")[::-1].hex().upper()}


@pytest.mark.parametrize("path", ["/", "/runs/one", "/static/page.css", "/nowhere", "/runs/one/rank/0/clips/a.mp4"])
@pytest.mark.parametrize("cookie", ["", "reward-agent-{port}=wrong", "other={token}", "reward-agent-{port}="])
def test_without_the_token_nothing_is_said(page: Page, path: str, cookie: str) -> None:
    token = page.cookie.partition("=")[2]
    status, text = page.ask(path, headers={"Cookie": cookie.format(port=page.port, token=token)})
    assert status == 403 and "address bar" in text
    assert "reach" not in text and "/runs" not in text and not re.search(r"\bone\b", text), "nothing of any run"


@pytest.mark.parametrize("token", ["", "wrong", "%00", "%C3%A9", "%FF"])
def test_a_wrong_token_lets_nobody_in(page: Page, token: str) -> None:
    status, _ = page.ask(f"/?token={token}", headers={"Cookie": ""})
    assert status == 403 and "set-cookie" not in page.last


def test_the_link_leads_to_a_cookie_that_no_script_and_no_other_site_gets(page: Page) -> None:
    parts = urlsplit(page.link)
    status, _ = page.ask(f"/runs/one?a=b&{parts.query}&c=%2F", headers={"Cookie": ""})
    assert status == 303 and page.last["location"] == "/runs/one?a=b&c=%2F"
    attributes = {each.strip() for each in page.last["set-cookie"].split(";")[1:]}
    assert attributes == {"HttpOnly", "SameSite=Strict", "Path=/"}
    page.ask(f"//elsewhere.invalid/?{parts.query}", headers={"Cookie": ""})
    assert page.last["location"].startswith("/elsewhere")
    page.ask(f"/\\elsewhere.invalid/?{parts.query}", headers={"Cookie": ""})
    assert page.last["location"].startswith("/elsewhere")


@pytest.mark.parametrize(
    "host",
    ["elsewhere.invalid", "elsewhere.invalid:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.invalid", ""],
)
def test_other_names_of_this_machine_are_refused(page: Page, host: str) -> None:
    status, _ = page.ask("/", headers={"Host": host.format(port=page.port)})
    assert status == 403
    assert page.ask("/", headers={"Host": f"localhost:{page.port}"})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://elsewhere.invalid"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://elsewhere.invalid"},
    ],
)
def test_other_sites_write_nothing(page: Page, run: Path, headers: dict[str, str]) -> None:
    said = {name: value.format(port=page.port) for name, value in headers.items()}
    body = b"rater=mallory&version=0&do=best:a"
    status, _ = page.ask("/runs/one/rank/0", method="POST", body=body, headers={"Content-Type": FORM, **said})
    assert status == 403 and not (run / "iter_00/judging/answers/mallory.json").exists()


@pytest.mark.parametrize("said", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:{port}"}])
def test_the_page_itself_writes(page: Page, run: Path, said: dict[str, str]) -> None:
    headers = {"Content-Type": FORM} | {name: value.format(port=page.port) for name, value in said.items()}
    rater = "x".join(said)
    body = f"rater={rater}&version=0&do=best:a".encode()
    status, _ = page.ask("/runs/one/rank/0", method="POST", body=body, headers=headers)
    assert status == 303 and answer_of(run, rater)["best"] == "a"


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "99999999999999999999", "-1", None])
def test_too_much_is_refused_before_it_is_read(page: Page, length: str | None) -> None:
    headers = {"Content-Type": FORM, "Origin": page.origin}
    headers |= {"Content-Length": length} if length else {"Transfer-Encoding": "chunked"}
    body = b"10001\r\n" + b"a" * 0x10001 + b"\r\n" if length is None else b"a" * 100
    status, text = page.ask("/runs/one/rank/0", method="POST", body=body, headers=headers)
    assert status in (400, 413) if length == "-1" else status == 413
    assert status == 400 or "64 kB" in text


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", b"{", 415),
        ("multipart/form-data; boundary=x", b"--x", 415),
        (FORM, b"\xff\xfe", 400),
        (FORM, b"&".join(b"a%d=1" % n for n in range(50)), 400),
        (FORM, b"", 400),
        (FORM, b"rater=me&version=x&do=best:a", 400),
        (FORM, b"rater=me&version=0&do=best:z", 400),
        (FORM, b"rater=me&version=0&do=fly", 400),
        (FORM, b"rater=../../me&version=0&do=best:a", 400),
        (FORM, b"rater=me%00&version=0&do=best:a", 400),
        (FORM, b"rater=me&version=0&do=words&text=" + b"a" * 5000, 400),
    ],
)
def test_what_is_no_form_of_the_page_gets_a_paragraph(page: Page, kind: str, body: bytes, code: int) -> None:
    headers = {"Content-Type": kind, "Origin": page.origin}
    status, text = page.ask("/runs/one/rank/0", method="POST", body=body, headers=headers)
    assert status == code and '<p id="told">' in text and "Traceback" not in text and "reward_agent/" not in text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(page: Page, method: str) -> None:
    assert page.ask("/runs/one", method=method, headers={"Origin": page.origin})[0] == 405


@pytest.mark.parametrize("path", ["/", "/nowhere", "/runs/one/rank/0", "/static/page.css", "/?token=wrong"])
def test_every_response_tells_the_browser_what_it_may_do(page: Page, path: str) -> None:
    page.ask(path)
    policy = page.last["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page.last["x-content-type-options"] == "nosniff" and page.last["x-frame-options"] == "DENY"
    assert page.last["referrer-policy"] == "same-origin" and page.last["cache-control"] == "no-store"
    assert "server" not in page.last


def test_programs_and_words_are_text(page: Page, run: Path) -> None:
    assert page.send("/runs/one/rank/0", rater="eve", version=0, do="words", text=HOSTILE)[0] == 200
    assert page.send("/runs/one/rank/0", rater="eve", version=1, do="remark:a", text="</textarea>" + HOSTILE)[0] == 200
    for path in ("/runs/one/candidates/0/1", "/runs/one/rank/0?rater=eve", "/runs/one"):
        status, text = page.ask(path)
        assert status == 200 and "<script>" not in text and "<img" not in text
    assert "onerror" in page.ask("/runs/one/candidates/0/1")[1]
    refused = page.send("/runs/one/rank/0", rater="eve", version=0, do="remark:b", text=HOSTILE)
    assert refused[0] == 409 and "<script>" not in refused[1] and "window.hacked" in refused[1]


def test_no_page_has_a_script_or_a_style_of_its_own(page: Page) -> None:
    for path in ("/", "/runs/one", "/runs/one/candidates/0/1", "/runs/one/rank/0"):
        _, text = page.ask(path)
        assert " style=" not in text and "<style" not in text and " onclick=" not in text and "http://" not in text
        assert text.count("<script") == text.count('<script src="/static/')


def test_a_mistake_of_ours_is_told_without_its_place(page: Page, run: Path) -> None:
    broken = run.parent / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    status, text = page.ask("/runs/broken")
    assert status == 409 and "Traceback" not in text and ".py" not in text
    assert page.ask("/")[0] == 200


def test_a_port_that_is_taken(page: Page, tmp_path: Path) -> None:
    done = call("serve", "--no-browser", "--port", str(page.port), cwd=tmp_path, code=2)
    assert f"Port {page.port}" in done.stderr and "--port" in done.stderr
    assert "no port" in call("serve", "--no-browser", "--port", "70000", cwd=tmp_path, code=2).stderr


def test_rank_wants_a_run_that_asks_people(run: Path, tmp_path: Path) -> None:
    assert "no run named" in call("rank", "two", "--no-browser", cwd=run.parent.parent, code=2).stderr
    by_metric = tmp_path / "runs/one"
    by_metric.mkdir(parents=True)
    manifest = json.loads((run / "run.json").read_text())
    manifest["config"]["judge"] = "metric"
    (by_metric / "run.json").write_text(json.dumps(manifest))
    (by_metric / "journal.jsonl").touch()
    told = call("rank", "one", "--no-browser", cwd=tmp_path, code=2).stderr
    assert "`--judge metric` compares there" in told and "resume one --judge page" in told


def test_without_its_packages_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "PACKAGES", ("fastapi", "no_such_package"))
    with pytest.raises(
        MissingComponentError, match=r"no_such_package not installed: pip install 'reward-agent\[web\]'"
    ):
        serve(tmp_path, None, print)


def test_rank_opens_on_what_is_to_be_judged(run: Path) -> None:
    with served("rank", "one", "--port", "0", cwd=run.parent.parent) as page:
        assert urlsplit(page.link).path == "/runs/one/rank"
        status, _ = page.ask("/runs/one/rank")
        assert status == 303 and page.last["location"] == "/runs/one/rank/0"
        page.process.send_signal(2)
        assert page.process.wait(20) == 0
    assert len(clips_of(run)) == 3
