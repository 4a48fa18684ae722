"""Templates ship with the package, can be overridden one by one, and never fail in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_agent.errors import UsageError
from reward_agent.templates import Templates, shipped


def test_the_shipped_ones_are_found() -> None:
    found = shipped()
    assert {"contract.jinja", "repair.jinja", "eureka/system.jinja", "text2reward/first.jinja"} <= found.keys()
    assert all(text.strip() for text in found.values())


def test_code_is_not_escaped() -> None:
    text = Templates().render("repair.jinja", faults=[1], described='a < b & "c"')
    assert 'a < b & "c"' in text


def test_a_folder_overrides_one_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "contract.jinja").write_text("Only {{ horizon }} steps.")
    templates = Templates(tmp_path)
    system = templates.render("eureka/system.jinja", horizon=7)
    assert "Only 7 steps." in system
    assert "What makes a reward learnable" in system
    assert "compute_reward" not in system


def test_a_value_that_does_not_exist_is_said_with_those_that_do(tmp_path: Path) -> None:
    (tmp_path / "contract.jinja").write_text("{{ horizn }}")
    with pytest.raises(UsageError, match=r"horizn.*horizon"):
        Templates(tmp_path).render("contract.jinja", horizon=7)


def test_a_template_that_is_not_valid(tmp_path: Path) -> None:
    (tmp_path / "contract.jinja").write_text("\n{% if %}")
    with pytest.raises(UsageError, match=r"contract\.jinja, line 2"):
        Templates(tmp_path).render("eureka/system.jinja")


def test_a_misspelt_file_is_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "eureka").mkdir()
    (tmp_path / "eureka" / "sytem.jinja").write_text("x")
    with pytest.raises(UsageError, match=r"Did you mean 'eureka/system\.jinja'"):
        Templates(tmp_path)


def test_wrong_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Templates(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="eureka/first"):
        Templates().render("eureka/frst.jinja")


def test_gaps_of_left_out_blocks_are_closed(tmp_path: Path) -> None:
    (tmp_path / "contract.jinja").write_text("a\n\n{% if false %}\nx\n{% endif %}\n\n\n\nb\n\n\n")
    assert Templates(tmp_path).render("contract.jinja") == "a\n\nb\n"
