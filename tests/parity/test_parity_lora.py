"""Adapters in both of MOVA's formats, against the reference's own outputs with them."""

from __future__ import annotations

import pytest
import torch

from mova_studio.network.adapter import Adapted, Weighted, check_fit
from mova_studio.network.adapter_file import read_adapter
from mova_studio.network.adapter_keys import ADAPTABLE

FILES = {
    "acc": ["accelerate", "accelerate_lora.safetensors"],
    "low": ["low_resource", "low_resource_lora.safetensors"],
}
EXPERTS = {"dit1": "high", "dit2": "low"}


@pytest.mark.parametrize("kind", FILES)
def test_adapters(goldens, tiny_pipeline, parity_dir, kind):
    golden, step = goldens("lora"), goldens("step")
    modules = {name: getattr(tiny_pipeline, name) for name in ADAPTABLE}
    adapters = [read_adapter(parity_dir / "lora" / name) for name in FILES[kind]]
    assert adapters[0] == adapters[1], "the same tensors in two files"
    check_fit(adapters[0], modules)
    adapted = Adapted(modules)
    compared = 0
    try:
        for prefix, strength in ((kind, 1.0), (f"{kind}_half", 0.5)):
            adapted.put([Weighted(adapters[0], dict.fromkeys(ADAPTABLE, strength))])
            adapted.bring(ADAPTABLE, torch.device("cpu"))
            for name, expert in EXPERTS.items():
                if f"{prefix}.{name}.video" not in golden.about:
                    continue
                context = torch.nn.functional.pad(
                    step["in.context_pos"], (0, 0, 0, 512 - step["in.context_pos"].shape[1])
                )
                video, audio = tiny_pipeline.predict_velocity(
                    step["in.visual"],
                    step["in.audio"],
                    context,
                    torch.tensor([900.0]),
                    torch.tensor([700.0]),
                    expert=expert,
                )
                golden.check(f"{prefix}.{name}.video", video)
                golden.check(f"{prefix}.{name}.audio", audio)
                compared += 1
    finally:
        adapted.put([])
    assert compared == sum(name.startswith(kind) and name.endswith(".video") for name in golden.about)
