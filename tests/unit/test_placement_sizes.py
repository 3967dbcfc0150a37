"""The ledger's ground: bytes from headers, operations and activations, held against the real modules."""

from __future__ import annotations

import pytest
import torch
from accelerate import init_empty_weights
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import mova_studio.network.attention
import mova_studio.network.bridge
from benchmarks.live_bytes import LiveBytes
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.network.hub import PUBLISHED
from mova_studio.network.joint import joint_forward
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.towers import AudioTower, build_video_tower, enter, leave
from mova_studio.placement.published import CONFIGS, published_sizes
from mova_studio.placement.request import Request
from mova_studio.placement.sizes import ComponentSize, read_sizes
from mova_studio.placement.workload import Workload


def test_bytes_from_headers_are_those_of_loaded_modules(tmp_path):
    build_untrained(tmp_path / "demo")
    checkpoint = Checkpoint(tmp_path / "demo")
    sizes = read_sizes(checkpoint)
    assert sizes.on_disk and sizes.identity == checkpoint.identity()
    for weights, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        for name, size in sizes.components.items():
            loaded = sum(parameter.nbytes for parameter in checkpoint.load(name, dtype).parameters())
            assert size.bytes(weights) == loaded, name


@pytest.mark.parametrize("name", list(CONFIGS))
def test_published_sizes_are_those_of_the_published_shapes(name):
    with init_empty_weights(include_buffers=False):
        module = COMPONENTS[name].build(dict(CONFIGS[name]))
    shapes = {key: tuple(value.shape) for key, value in module.state_dict(keep_vars=True).items()}
    shapes.pop("encoder.embed_tokens.weight", None)
    assert ComponentSize.of(name, shapes.items()) == published_sizes().components[name]


def test_published_sizes_add_up_to_what_a_download_says():
    total = sum(size.parameters for size in published_sizes().components.values())
    assert {published.parameters for published in PUBLISHED.values()} == {total}


def network(video=(4, 48, 96, 3), audio=(2, 32, 64, 2), head_dim=16):
    """A video tower, an audio tower and a bridge of (heads, width, inner width, layers)."""
    heads, width, inner, layers = video
    audio_heads, audio_width, audio_inner, audio_layers = audio
    return (
        build_video_tower(
            in_channels=36,
            out_channels=16,
            num_attention_heads=heads,
            attention_head_dim=width // heads,
            ffn_dim=inner,
            num_layers=layers,
            text_dim=32,
            cross_attn_norm=True,
        ),
        AudioTower(audio_heads, audio_width // audio_heads, 128, 128, 32, 256, audio_inner, audio_layers),
        Bridge(layers, audio_layers, width, audio_width, head_dim=head_dim),
    )


def run_once(modules, grid, audio_length, batch=1, device="cpu"):
    with torch.no_grad():
        return joint_forward(
            *modules,
            torch.zeros(batch, 36, *grid, device=device),
            torch.zeros(batch, 128, audio_length, device=device),
            torch.zeros(batch, 512, modules[0].config.text_dim, device=device),
            torch.full((batch,), 500.0, device=device),
        )


def test_operations_are_those_that_are_counted():
    modules = network()
    work = Workload(5 * 4 * 6, 21, 48, 96, 3, 12, 32, 64, 2, 2)
    # Taken apart, attention is two batched matrix products; linear layers are addmm.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run_once(modules, (5, 8, 12), 21)
    counted = counter.get_flop_counts()["Global"]
    attention = sum(flops for operation, flops in counted.items() if "bmm" in str(operation))
    assert work.attention_flops() == attention
    with torch.no_grad(), FlopCounterMode(display=False) as around_layers:
        for tower, latents in zip(modules, (torch.zeros(1, 36, 5, 8, 12), torch.zeros(1, 128, 21)), strict=False):
            leave(tower, enter(tower, latents, torch.tensor([500.0]), torch.zeros(1, 512, 32)))
    assert work.matmul_flops() == sum(counted.values()) - attention - around_layers.get_total_flops()


def test_workload_of_the_nominal_job():
    work = Workload.of(published_sizes(), Request())
    assert (work.video_tokens, work.audio_tokens, work.bridged_layers) == (43120, 403, 30)
    assert Workload.of(published_sizes(), Request(width=1280, height=720)).video_tokens == 176400
    assert work.matmul_flops() + work.attention_flops() == pytest.approx(2.77e15, rel=0.01)


@pytest.fixture
def fused_kernels(monkeypatch):
    """Kernels that hold nothing of their own, as CUDA's do: this machine's meta device takes them apart."""

    def attention(query, key, value, **_):
        return torch.empty_like(query)

    monkeypatch.setattr(mova_studio.network.attention, "dispatch_attention_fn", attention)
    monkeypatch.setattr(mova_studio.network.bridge, "dispatch_attention_fn", attention)
    monkeypatch.setattr(torch.nn.RMSNorm, "forward", lambda self, states: torch.empty_like(states))


@pytest.mark.parametrize(
    ("size", "frames", "chunks", "batch"),
    [
        ((640, 352), 193, 1, 1),
        ((640, 352), 193, 2, 1),
        ((640, 352), 193, 2, 2),
        ((1280, 720), 193, 2, 1),
        ((640, 352), 49, 1, 1),
    ],
)
def test_activations_are_predicted_within_a_tenth_at_full_size(fused_kernels, size, frames, chunks, batch):
    with init_empty_weights(include_buffers=False):
        modules = network((40, 5120, 13824, 2), (12, 1536, 8960, 1), head_dim=128)
        video, audio, bridge = (module.to("meta", torch.bfloat16).requires_grad_(False) for module in modules)
    for tower in (video, audio):
        for name, parameter in tower.named_parameters():
            if COMPONENTS["video_dit"].in_float32(name):
                parameter.data = parameter.data.float()
        for block in tower.blocks:
            block.ffn_chunks = chunks
    work = Workload.of(published_sizes(), Request(*size, num_frames=frames))
    grid = ((frames - 1) // 4 + 1, size[1] // 8, size[0] // 8)
    with LiveBytes() as live:
        run_once((video, audio, bridge), grid, work.audio_tokens, batch, device="meta")
    assert work.activation_bytes(2, chunks, batch) == pytest.approx(live.peak, rel=0.1)
