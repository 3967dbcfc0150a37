"""What a plan holds, stage by stage: weights, activations, workspace, buffers, and a margin for fragmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mova_studio.network.tiles import Tiling
from mova_studio.placement.machine import GIB
from mova_studio.placement.plan import Plan, StageMemory
from mova_studio.placement.request import Request
from mova_studio.placement.sizes import CheckpointSizes
from mova_studio.placement.vae_memory import CUDA, VaePeak, audio_decode_peak, decode_peak, encode_peak
from mova_studio.placement.vae_walk import Workspace
from mova_studio.placement.workload import Workload

MIB = 2**20
SLOTS = 2
# What the CUDA allocator loses to rounding and fragmentation, and the libraries' own workspaces.
FRAGMENTATION = 0.04
CUDA_WORKSPACE = 192 * MIB
# A process with torch and diffusers imported, and with a CUDA context.
PROCESS_RAM = {"cpu": 640 * MIB, "cuda": 3 * GIB}
TEXT_ACTIVATIONS = 300 * MIB
CPU = Workspace(fixed=0, copies=0.0)


class Ledger:
    """The sums for one plan. On a machine without a device all of them are RAM.

    Args:
        sizes, request, plan, work: of the run.
    """

    def __init__(self, sizes: CheckpointSizes, request: Request, plan: Plan, work: Workload) -> None:
        self.sizes, self.request, self.plan, self.work = sizes, request, plan, work
        self.element = plan.compute_bytes
        self.on_cpu = plan.device == "cpu"

    def stages(self) -> dict[str, StageMemory]:
        """Predicted peaks by stage, see `plan.STAGES`."""
        everything = self.plan.offload == "none"
        resident = self._bytes(self.sizes.components)
        encode, decode = self._vae(encode_peak), self._vae(decode_peak)
        decoding = max(decode.device, self._audio_decode())
        held = {
            "text": resident if everything else self._text_weights(),
            "frames": resident if everything else self._bytes(("video_vae",)),
            "denoise": (resident if everything else self._denoise_weights()) + self._adapters(),
            "decode": resident if everything else max(self._bytes(("video_vae",)), self._bytes(("audio_vae",))),
        }
        working = {
            "text": TEXT_ACTIVATIONS if self.sizes.configs["text_encoder"]["d_model"] > 1024 else 4 * MIB,
            "frames": encode.device,
            "denoise": self._activations(),
            "decode": decoding,
        }
        # As they were read: both experts' parts, in up to four bytes a number.
        read = 2 * 4 * self.request.adapter_numbers
        host = {"text": 0, "frames": encode.host, "denoise": read, "decode": decode.host + self._film()}
        pinned = self._pinned()
        return {name: self._stage(held[name], working[name], host[name] + pinned) for name in held}

    def _stage(self, held: int, working: int, host: int) -> StageMemory:
        base = PROCESS_RAM["cpu" if self.on_cpu else "cuda"]
        if self.on_cpu:
            return StageMemory(0, base + held + working + host)
        device = held + working
        return StageMemory(int(device * (1 + FRAGMENTATION)) + CUDA_WORKSPACE, base + host + self._reading())

    def _bytes(self, names: Iterable[str]) -> int:
        return sum(self.sizes.components[name].bytes(self.plan.weights[name]) for name in names)

    def _adapters(self) -> int:
        return self.request.adapter_numbers * self.element

    def _text_weights(self) -> int:
        if self.plan.offload == "component":
            return self._bytes(("text_encoder",))
        size, weights = self.sizes.components["text_encoder"], self.plan.weights["text_encoder"]
        layers = max(1, int(self.sizes.configs["text_encoder"]["num_layers"]))
        return size.outside_bytes(weights) + 2 * size.layer_bytes(weights) // layers

    def _denoise_weights(self) -> int:
        if self.plan.offload == "component":
            return self._bytes(("video_dit", "audio_dit", "dual_tower_bridge"))
        streamed = self.streamed_blocks
        kept = sum(self._fixed_bytes(name) for name in ("video_dit", "audio_dit", "dual_tower_bridge"))
        resident = sum(self.layer_bytes(layer) for layer in range(self.plan.num_blocks) if layer not in streamed)
        slots = min(SLOTS, len(streamed)) * max((self.layer_bytes(layer) for layer in streamed), default=0)
        return kept + resident + slots

    @property
    def streamed_blocks(self) -> frozenset[int]:
        """The layers that come from RAM, spread evenly, so that each copy has several layers to hide behind."""
        return streamed_blocks(self.plan.num_blocks, self.plan.resident_blocks)

    def layer_bytes(self, layer: int) -> int:
        """Matrices of one layer of the joint forward: video block, audio block and both conditioners."""
        total = self._matrices("video_dit") // self.work.video_layers
        if layer < self.work.audio_layers:
            total += self._matrices("audio_dit") // self.work.audio_layers
        if layer < self.work.bridged_layers:
            total += self._matrices("dual_tower_bridge") // self.work.bridged_layers
        return total

    def streamed_bytes(self) -> int:
        """What comes from RAM for one forward."""
        if self.plan.offload != "group":
            return 0
        return sum(self.layer_bytes(layer) for layer in self.streamed_blocks)

    def _matrices(self, name: str) -> int:
        size, weights = self.sizes.components[name], self.plan.weights[name]
        return size.layer_bytes(weights) - self._small(name)

    def _small(self, name: str) -> int:
        size = self.sizes.components[name]
        return size.layer_rest * self.element + size.layer_rest32 * 4

    def _fixed_bytes(self, name: str) -> int:
        """What stays on the device while its component is in use: all but the layers' matrices."""
        return self.sizes.components[name].outside_bytes(self.plan.weights[name]) + self._small(name)

    def _activations(self) -> int:
        samples = self.request.batch_size * (self.request.bridged_passes if self.plan.batched_guidance else 1)
        total = self.work.activation_bytes(self.element, self.plan.ffn_chunks, samples)
        inner = self.work.video_ffn * self.work.video_dim
        weights = self.plan.weights["video_dit"]
        if weights in ("int8", "fp8"):
            total += 2 * inner * self.element
        if weights == "fp8_compute":
            total += samples * self.work.video_tokens * self.work.video_ffn // self.plan.ffn_chunks
        if self.plan.cache != "off":
            total += self.work.cache_bytes(self.request.passes, self.request.batch_size, self.element)
        return total

    def _vae(self, peak: Callable[..., VaePeak]) -> VaePeak:
        tiling = Tiling(count=self.plan.vae_tiles) if self.plan.vae_tiles > 1 else None
        request = self.request
        return peak(
            self.sizes.configs["video_vae"],
            request.width,
            request.height,
            request.num_frames,
            self.element,
            tiling,
            CPU if self.on_cpu else CUDA,
        )

    def _audio_decode(self) -> int:
        return audio_decode_peak(self.sizes.configs["audio_vae"], self.work.audio_tokens)

    def _pinned(self) -> int:
        if self.plan.offload != "group":
            return 0
        once = self.streamed_bytes()
        if self.plan.experts_in_ram == 1:
            return once
        return once + len(self.streamed_blocks) * self._matrices("video_dit") // self.work.video_layers

    def _film(self) -> int:
        """The decoded picture beside the one that the decoder fills: as floats for the page, as bytes for the file."""
        return self.request.width * self.request.height * self.request.num_frames * 3 * (4 + 1)

    def _reading(self) -> int:
        """One layer as read from its file, on its way."""
        return 2 * self.layer_bytes(0)


def streamed_blocks(num_blocks: int, resident_blocks: int) -> frozenset[int]:
    """Which of `num_blocks` layers stream when `resident_blocks` stay, evenly spread."""
    streaming = num_blocks - resident_blocks
    return frozenset(
        layer for layer in range(num_blocks) if (layer + 1) * streaming // num_blocks > layer * streaming // num_blocks
    )
