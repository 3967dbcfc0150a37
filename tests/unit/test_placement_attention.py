"""Attention backends: tried, told apart, used in the given modules only, and never left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

from mova_studio.errors import InputError
from mova_studio.network.bridge import Bridge
from mova_studio.network.towers import AudioTower, build_video_tower
from mova_studio.placement.attention import NATIVE, PACKAGES, detect_attention, use_attention

TOWER = {"num_attention_heads": 2, "attention_head_dim": 24, "text_dim": 16, "freq_dim": 16, "ffn_dim": 32}
MATH = AttentionBackendName._NATIVE_MATH


@pytest.fixture
def audio():
    torch.manual_seed(0)
    return AudioTower(**TOWER, in_channels=4, out_channels=4, num_layers=2).eval()


@pytest.fixture
def video():
    torch.manual_seed(0)
    return build_video_tower(**TOWER, in_channels=4, out_channels=4, num_layers=2, cross_attn_norm=True).eval()


@pytest.fixture
def bridge():
    torch.manual_seed(0)
    return Bridge(visual_layers=2, audio_layers=2, visual_hidden_dim=48, audio_hidden_dim=48, head_dim=24).eval()


@pytest.fixture(autouse=True)
def nothing_left_behind():
    before = _AttentionBackendRegistry.get_active_backend()
    yield
    assert _AttentionBackendRegistry.get_active_backend() == before


def backends_of(*modules):
    return {
        part.processor._attention_backend
        for module in modules
        for part in module.modules()
        if hasattr(getattr(part, "processor", None), "_attention_backend")
    }


def run(audio):
    generator = torch.Generator().manual_seed(1)
    latents, text = (torch.randn(shape, generator=generator) for shape in ((1, 4, 9), (1, 5, 16)))
    with torch.no_grad():
        return audio(latents, torch.tensor([500.0]), text)


class TestUse:
    def test_processors_switch_and_return(self, video, audio, bridge):
        with use_attention([video, audio, bridge], "_native_math"):
            assert backends_of(video) == backends_of(audio) == backends_of(bridge) == {MATH}
        assert backends_of(video, audio, bridge) == {None}
        holders = [part.processor for part in audio.modules() if hasattr(part, "processor")]
        assert holders and not any("_attention_backend" in vars(processor) for processor in holders)

    def test_outputs_agree(self, audio):
        plain = run(audio)
        with use_attention([audio], "_native_math"):
            computed = run(audio)
        with use_attention([audio], NATIVE):
            native = run(audio)
        torch.testing.assert_close(computed, plain, rtol=1e-5, atol=1e-5)
        assert torch.equal(native, plain)

    def test_the_backend_is_the_one_that_runs(self, audio, monkeypatch):
        calls = []
        real = _AttentionBackendRegistry._backends[MATH]

        def counted(**arguments):
            calls.append(arguments["query"].shape)
            return real(**arguments)

        monkeypatch.setitem(_AttentionBackendRegistry._backends, MATH, counted)
        run(audio)
        assert calls == []
        with use_attention([audio], "_native_math"):
            run(audio)
        assert len(calls) == 4  # self- and cross-attention of two layers

    def test_other_models_and_later_ones_are_untouched(self, audio, video):
        with use_attention([audio], "_native_math"):
            later = AudioTower(**TOWER, in_channels=4, out_channels=4, num_layers=1)
            plain = WanTransformer3DModel(**TOWER, in_channels=4, out_channels=4, num_layers=1)
            assert backends_of(video, later, plain) == {None}
            assert _AttentionBackendRegistry.get_active_backend()[0] is AttentionBackendName.NATIVE

    def test_what_was_set_before_is_set_again(self, audio):
        with use_attention([audio], "_native_math"):
            with use_attention([audio], NATIVE):
                assert backends_of(audio) == {AttentionBackendName.NATIVE}
            assert backends_of(audio) == {MATH}
        assert backends_of(audio) == {None}

    def test_a_module_given_twice_is_put_back(self, audio):
        with use_attention([audio, audio.blocks[0], audio], "_native_math"):
            pass
        assert backends_of(audio) == {None}

    def test_after_an_error_too(self, audio):
        with pytest.raises(ZeroDivisionError), use_attention([audio], "_native_math"):
            _ = 1 / 0
        assert backends_of(audio) == {None}

    @pytest.mark.parametrize("name", ["", "sdpa", "NATIVE", "flash_hub", "sage_varlen"])
    def test_names_that_are_not_offered(self, audio, name):
        with pytest.raises(InputError, match="native") as caught, use_attention([audio], name):
            pass
        assert caught.value.field == "attention"
        assert backends_of(audio) == {None}

    def test_native_whatever_the_environment_says(self, audio):
        plain = run(audio)
        before = _AttentionBackendRegistry._active_backend
        _AttentionBackendRegistry.set_active_backend(AttentionBackendName._NATIVE_FLASH)
        try:
            with use_attention([audio], NATIVE):
                assert torch.equal(run(audio), plain)
        finally:
            _AttentionBackendRegistry.set_active_backend(before)


class TestDetect:
    def test_pytorchs_own_is_first_and_works(self):
        found = detect_attention("cpu")
        assert (found[0].name, found[0].works, found[0].reason) == (NATIVE, True, "")
        assert [backend.name for backend in found[1:]] == [package.backend for package in PACKAGES]
        for backend in found:
            assert backend.works == (not backend.reason)
            AttentionBackendName(backend.name)
        assert [backend.name for backend in found if backend.eight_bit] == ["sage"]

    def test_random_numbers_go_on_as_they_would(self):
        state = torch.get_rng_state()
        detect_attention("cpu")
        assert torch.equal(torch.get_rng_state(), state)

    def test_every_backend_that_works_can_be_used(self, audio):
        for backend in detect_attention("cpu"):
            if backend.works:
                with use_attention([audio], backend.name):
                    assert backends_of(audio) == {AttentionBackendName(backend.name)}
            elif not backend.installed:
                with pytest.raises(InputError, match="can't be used"), use_attention([audio], backend.name):
                    pass

    def test_a_package_that_is_too_old_is_not_even_imported(self, tmp_path, monkeypatch):
        install(tmp_path, "flash_attn", "2.5.9", "raise AssertionError('imported')")
        install(tmp_path, "sageattention", "1.0.6", "raise AssertionError('imported')")
        monkeypatch.syspath_prepend(str(tmp_path))
        found = {backend.name: backend for backend in detect_attention("cpu")}
        assert found["flash"].installed and not found["flash"].works
        assert "2.5.9" in found["flash"].reason and "2.6.3" in found["flash"].reason
        assert "1.0.6" in found["sage"].reason and "2.1.1" in found["sage"].reason

    def test_a_module_without_its_package(self, tmp_path, monkeypatch):
        (tmp_path / "sageattention.py").write_text("")
        monkeypatch.syspath_prepend(str(tmp_path))
        found = {backend.name: backend for backend in detect_attention("cpu")}
        assert "install it again" in found["sage"].reason


def install(folder, module, version, code):
    """A package as an installer leaves it, for an interpreter that starts with `folder` on its path."""
    (folder / module).mkdir()
    (folder / module / "__init__.py").write_text("")
    (folder / module / ("ops.py" if module == "xformers" else "__init__.py")).write_text(textwrap.dedent(code))
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: {version}\n")


# Its results are as wrong as SPOIL makes them.
ATTENTION = """
    import torch
    SPOIL = lambda attended: attended
    class LowerTriangularMask: pass
    def memory_efficient_attention(query, key, value, attn_bias, p, scale):
        query, key, value = (x.transpose(1, 2) for x in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        return SPOIL(attended.transpose(1, 2))
"""
TRY = """
import dataclasses, json
from mova_studio.placement.attention import detect_attention
from diffusers.models.attention_dispatch import _AttentionBackendRegistry
def tried():
    before = _AttentionBackendRegistry.get_active_backend()
    found = detect_attention("cpu")
    assert _AttentionBackendRegistry.get_active_backend() == before
    return {backend.name: dataclasses.asdict(backend) for backend in found}["xformers"]
"""
SPOILT = """
import xformers.ops
def fault(attended): raise RuntimeError("no kernel image")
spoils = [lambda x: x, lambda x: x * 1.01, lambda x: x * 1.5, lambda x: x * float("nan"), lambda x: x[:, :9], fault]
answers = []
for xformers.ops.SPOIL in spoils:
    answers.append(tried())
print(json.dumps(answers))
"""


def answer(folder, program):
    """Detection anew, by an interpreter that has the packages in `folder`."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_an_installed_package_is_tried_and_compared(tmp_path):
    install(tmp_path, "xformers", "0.0.30", ATTENTION)
    answers = answer(tmp_path, TRY + SPOILT)
    assert [found["works"] for found in answers] == [True, True, False, False, False, False]
    assert all(found["installed"] for found in answers)
    assert "0.5 away" in answers[2]["reason"]
    assert "nan away" in answers[3]["reason"]
    assert "no kernel image" in answers[5]["reason"]


def test_an_installed_package_that_can_not_be_imported(tmp_path):
    install(tmp_path, "xformers", "0.0.30", "raise ImportError('built for another torch')")
    found = answer(tmp_path, TRY + "print(json.dumps(tried()))")
    assert (found["works"], found["installed"]) == (False, True)
    assert found["reason"].startswith("It failed when tried")
