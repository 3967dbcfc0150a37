"""Any instruct model that transformers loads, with eyes or without. Only a process that may own the GPU runs one."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from mova_studio.errors import AnswerError, BackendError, Cancelled, CheckpointError, MemoryRanOut, StudioError
from mova_studio.prompting.backend import Asked, ChatBackend, OnText
from mova_studio.prompting.instructions import visible
from mova_studio.prompting.local_place import find_model
from mova_studio.prompting.picture import small_picture
from mova_studio.settings import cache_dir

if TYPE_CHECKING:
    from mova_studio.placement.request import Limits
    from mova_studio.prompting.local_reading import Reader

MAX_NEW_TOKENS = 1536


class LocalBackend(ChatBackend):
    """A model on this machine; loaded when it is first asked, unloaded by `close`.

    Args:
        model: a folder, or a hub id in the hub's cache.
        limits: the person's caps on memory; None takes all that is free.

    Attributes:
        note: in how many bits it was loaded, and why; "" before.

    Raises:
        CheckpointError: it is not on this machine, or is no language model.
    """

    def __init__(self, model: str, limits: Limits | None = None) -> None:
        self.place = find_model(model)
        self.name = f"local:{model}"
        self.can_see = self.place.sees
        self._limits = limits
        self._model: Any = None
        self._reader: Reader | None = None
        self._cancelled: Asked = lambda: False

    def answer(self, system: str, request: str, png: bytes | None, on_text: OnText, cancelled: Asked) -> str:
        import torch

        from mova_studio.placement.shortage import OUT_OF_MEMORY, what_ran_out

        self._cancelled = cancelled
        picture = None if png is None else small_picture(png)
        try:
            if self._model is None:
                self._load()
            self._check()
            with torch.inference_mode():
                return self._generate(system, request, picture, on_text)
        except StudioError:
            raise
        except OUT_OF_MEMORY as error:
            if what_ran_out(error) is None:
                raise BackendError(f"{self.name} failed inside: {_first_line(error)}", field="backend") from error
            raise MemoryRanOut(
                f"{self.name} ran out of memory. Choose a smaller model or a server.", field="backend"
            ) from error
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError, AssertionError) as error:
            raise BackendError(f"{self.name} failed inside: {_first_line(error)}", field="backend") from error

    def close(self) -> None:
        import torch

        self._model = self._reader = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(self) -> None:
        from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

        from mova_studio.network.weights import read_entries
        from mova_studio.prompting.local_format import ModelSize, choose_format
        from mova_studio.prompting.local_reading import Reader

        device, free = self._room()
        size = ModelSize.of(read_entries(self.place.folder, "model"))
        chosen = choose_format(size, free, device, quantized=self.place.quantized)
        kind = AutoModelForImageTextToText if self.place.sees else AutoModelForCausalLM
        try:
            self._reader = Reader(self.place)
            self._check()
            model = kind.from_pretrained(
                self.place.folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                **_loading(chosen.weights, device),
            )
        except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
            raise CheckpointError(f"{self.name} cannot be loaded: {_first_line(error)}", field="backend") from error
        model.eval()
        for layers in model.modules():
            if type(layers).__name__ == "ModuleList":
                for layer in layers:
                    layer.register_forward_pre_hook(lambda *_: self._check())
        self._model, self.note = model, chosen.why

    def _room(self) -> tuple[str, int]:
        """The device, and bytes that a model may take there."""
        import torch

        from mova_studio.placement.machine import GIB
        from mova_studio.placement.planner import DEVICES, DRIVER_SHARE, SYSTEM_SHARE
        from mova_studio.placement.probe import chosen_device, probe_machine

        if not torch.cuda.is_initialized() and (best := chosen_device()) is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = best
        machine = probe_machine(cache_dir(), use_torch=True)
        device = "cpu" if machine.gpu is None else DEVICES[machine.gpu.vendor]
        limits = self._limits
        if machine.gpu is None or machine.gpu.shares_ram:
            free, cap = machine.free_ram - SYSTEM_SHARE, None if limits is None else limits.ram_gb
        else:
            free, cap = machine.gpu.free_vram - DRIVER_SHARE, None if limits is None else limits.vram_gb
        return device, free if cap is None else min(free, int(cap * GIB))

    def _generate(self, system: str, request: str, picture: Any, on_text: OnText) -> str:
        from transformers import TextStreamer

        assert self._reader is not None
        reader, text = self._reader, ""

        class Told(TextStreamer):
            def on_finalized_text(self, more: str, stream_end: bool = False) -> None:
                nonlocal text
                text += more
                on_text(visible(text))

        device, dtype = self._model.device, self._model.dtype
        inputs = {
            name: tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)
            for name, tensor in reader.read(system, request, picture).items()
        }
        told = self._model.generate(
            **inputs,
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            streamer=Told(reader.tokenizer, skip_prompt=True, skip_special_tokens=True),
            tokenizer=reader.tokenizer,
        )
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        if int(told[0, -1]) not in ends:
            raise AnswerError(
                f"The answer of {self.name} was cut after {MAX_NEW_TOKENS} tokens; it came to no end. Try again, or "
                "choose another model."
            )
        if not visible(text):
            raise AnswerError(f"{self.name} gave an empty answer. Try again, or choose another model.")
        return text

    def _check(self) -> None:
        """Called before each layer, so that not even a long picture keeps the person waiting."""
        if self._cancelled():
            raise Cancelled


def _loading(weights: str, device: str) -> dict[str, Any]:
    """Arguments of `from_pretrained` for a format."""
    import torch
    from transformers import BitsAndBytesConfig, QuantoConfig

    dtype = torch.float32 if device == "cpu" and weights != "bf16" else torch.bfloat16
    arguments: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}}
    if weights == "int8":
        with_bytes = device == "cuda"
        arguments["quantization_config"] = (
            BitsAndBytesConfig(load_in_8bit=True) if with_bytes else QuantoConfig(weights="int8")
        )
    elif weights == "nf4":
        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    elif weights == "stored":
        arguments["dtype"] = "auto"
    return arguments


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {line.rstrip('.')}."
