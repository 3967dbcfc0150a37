"""Commands of ours that are asked in a process of their own."""

from __future__ import annotations

import pytest

from mova_studio.errors import CheckpointError, InputError
from mova_studio.jobs.adapter_import import import_adapter
from mova_studio.jobs.modelcheck import check_model
from mova_studio.jobs.own_command import answer_of


def test_the_commands_own_sentence_is_raised(tmp_path):
    with pytest.raises(CheckpointError, match="nothing-here") as caught:
        check_model(str(tmp_path / "nothing-here"))
    assert caught.value.field == "model"
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"bad\.safetensors") as refused:
        import_adapter(tmp_path / "bad.safetensors", "bad", "both")
    assert refused.value.field == "adapters"
    assert "exit code" not in caught.value.message + refused.value.message


def test_a_command_without_an_answer_is_told_with_its_exit_code():
    answer = answer_of(["no-such-command"], 120, "The thing could not be done")
    assert answer["error"]["message"] == "The thing could not be done (exit code 2)."
