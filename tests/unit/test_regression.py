"""Our own outputs, kept from a time when parity held, so that they are guarded where the goldens are absent.

`pytest tests/unit/test_regression.py --write-regression` keeps them anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from mova_studio.diffusion import MovaPipeline, SamplingSettings
from mova_studio.network.demo import build_untrained

KEPT = Path(__file__).parents[1] / "fixtures" / "regression.safetensors"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    pipeline = MovaPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    image = Image.linear_gradient("L").convert("RGB")
    found = {}

    def keep(_pipeline, index, _timestep, tensors):
        found[f"step{index}.latents"] = tensors["latents"]
        found[f"step{index}.audio_latents"] = tensors["audio_latents"]

    settings = SamplingSettings(
        height=32, width=48, num_frames=9, num_inference_steps=4, bridge_guidance_scale=3.5, audio_shift=1.0
    )
    state = pipeline.prepare(
        settings,
        'A dog barks. "Hello"',
        image,
        last_image=image.rotate(90),
        negative_prompt="noise",
        generator=torch.Generator("cpu").manual_seed(11),
    )
    found |= {"condition": state.condition, "prompt_embeds": state.prompt_embeds[:, :16].contiguous()}
    pipeline.denoise(state, None, keep)
    output = pipeline.decode(state, output_type="pt")
    return found | {"frames": output.frames[:, ::4], "audio": output.audio[..., ::10]}


def test_outputs_are_what_they_were(outputs, request):
    if request.config.getoption("--write-regression"):
        save_file({name: tensor.contiguous() for name, tensor in outputs.items()}, KEPT)
    kept = load_file(KEPT)
    assert kept.keys() == outputs.keys()
    for name, tensor in kept.items():
        torch.testing.assert_close(
            outputs[name], tensor, rtol=1e-3, atol=2e-3, msg=lambda text, name=name: f"{name}: {text}"
        )
