"""Which attention backends run on a device, and using one without leaving it behind.

Names are diffusers' own. Its `set_attention_backend` also changes what every model made later takes, and its
`attention_backend` changes it for all models of the process; here only the processors of the given modules
are touched, and put back.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from mova_studio.errors import InputError

if TYPE_CHECKING:
    import torch

NATIVE = "native"
# Other ways through PyTorch itself, which always has them; for comparison and for tests.
OF_TORCH = ("_native_cudnn", "_native_efficient", "_native_flash", "_native_math")
LARGEST_ERROR = 0.1


@dataclass(frozen=True)
class AttentionBackend:
    """One attention backend on one device.

    Attributes:
        name: diffusers' name for it.
        works: it ran there, and agreed with PyTorch's own.
        reason: why it does not work, with the remedy where there is one; "" if it works.
        eight_bit: it rounds its operands to 8 bits: faster, and not the same numbers.
        installed: its package is there.
    """

    name: str
    works: bool
    reason: str
    eight_bit: bool = False
    installed: bool = True


@dataclass(frozen=True)
class _Package:
    """A package that brings a backend. `oldest` is what diffusers asks for; `capabilities` are the first and
    last (None: any) that its kernels are written for, since a kernel that faults can't be caught: it takes
    the process's CUDA context along."""

    backend: str
    module: str
    distributions: tuple[str, ...]
    oldest: str | None
    first: tuple[int, int]
    last: tuple[int, int] | None = None
    eight_bit: bool = False


PACKAGES = (
    _Package("flash", "flash_attn", ("flash-attn", "flash_attn"), "2.6.3", (8, 0)),
    _Package("_flash_3", "flash_attn_interface", ("flash-attn-3", "flash_attn_3"), None, (8, 0), (9, 0)),
    _Package("sage", "sageattention", ("sageattention",), "2.1.1", (8, 0), eight_bit=True),
    _Package("xformers", "xformers", ("xformers",), "0.0.29", (7, 0)),
)


def detect_attention(device: torch.device | str) -> tuple[AttentionBackend, ...]:
    """Every backend that we offer, PyTorch's own first, each tried on a call of 64 tokens on `device`.

    Nothing of the process changes: not diffusers' active backend, not torch's random state. Nothing is
    raised: what fails is a backend that does not work, with the reason.
    """
    import torch

    device = torch.device(device)
    found = [AttentionBackend(NATIVE, works=True, reason="")]
    if device.type == "cuda" and torch.version.hip is None:
        reason = _try(device, "_native_cudnn")
        found.append(AttentionBackend("_native_cudnn", works=not reason, reason=reason))
    for package in PACKAGES:
        installed = _module_there(package.module)
        reason = (
            (_version_at_fault(package) or _capability_at_fault(package, device) or _try(device, package.backend))
            if installed
            else f"The package {package.distributions[0]} is not installed."
        )
        found.append(AttentionBackend(package.backend, not reason, reason, package.eight_bit, installed))
    return tuple(found)


@contextmanager
def use_attention(modules: Iterable[torch.nn.Module], name: str) -> Iterator[None]:
    """Let the attention of `modules`, and of nothing else, run through backend `name` inside the block.

    Attention is found as diffusers does: every submodule whose `processor` has an `_attention_backend`. On
    the way out each gets back what it had, also after an error. "native" is PyTorch's own, whatever the
    environment's DIFFUSERS_ATTN_BACKEND says.

    Raises:
        InputError: the name is none that we offer, or its package is not there. No module was touched.
    """
    backend = _backend(name)
    before: list[tuple[Any, bool, Any]] = []
    try:
        for processor in _processors(modules):
            before.append((processor, "_attention_backend" in vars(processor), processor._attention_backend))
            processor._attention_backend = backend
        yield
    finally:
        for processor, own, value in reversed(before):
            if own:
                processor._attention_backend = value
            else:
                del processor._attention_backend


def _backend(name: str) -> Any:
    from diffusers.models.attention_dispatch import AttentionBackendName, _check_attention_backend_requirements

    offered = (NATIVE, *(package.backend for package in PACKAGES), *OF_TORCH)
    if name not in offered:
        raise InputError(
            f"Attention backend {name!r} is not one of {', '.join(offered)}. {NATIVE!r} always works.",
            field="attention",
        )
    backend = AttentionBackendName(name)
    try:
        _check_attention_backend_requirements(backend)
    except RuntimeError as error:
        raise InputError(
            f"Attention backend {name!r} can't be used: {_sentence(error)} {NATIVE!r} always works.", field="attention"
        ) from error
    return backend


def _processors(modules: Iterable[torch.nn.Module]) -> Iterator[Any]:
    seen: set[int] = set()
    for module in modules:
        for part in module.modules():
            processor = getattr(part, "processor", None)
            if hasattr(processor, "_attention_backend") and id(processor) not in seen:
                seen.add(id(processor))
                yield processor


def _module_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _version_at_fault(package: _Package) -> str:
    if package.oldest is None:
        return ""
    for distribution in package.distributions:
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if _numbers(version) < _numbers(package.oldest):
            return f"{distribution} {version} is too old: install {package.oldest} or newer."
        return ""
    return f"The module {package.module} is there without the package {package.distributions[0]}: install it again."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])


def _capability_at_fault(package: _Package, device: torch.device) -> str:
    import torch

    if device.type != "cuda" or torch.version.hip is not None:
        return ""
    capability = torch.cuda.get_device_capability(device)
    if package.first <= capability and (package.last is None or capability <= package.last):
        return ""
    until = f" to {package.last[0]}.{package.last[1]}" if package.last else " or newer"
    return (
        f"{package.distributions[0]} is written for compute capability {package.first[0]}.{package.first[1]}{until}; "
        f"this GPU has {capability[0]}.{capability[1]}."
    )


def _try(device: torch.device, name: str) -> str:
    """Why `name` does not work on `device`; "" if it does."""
    import torch

    try:
        from diffusers.models.attention_dispatch import (
            AttentionBackendName,
            _check_attention_backend_requirements,
            dispatch_attention_fn,
        )

        backend = AttentionBackendName(name)
        _check_attention_backend_requirements(backend)
        generator = torch.Generator().manual_seed(0)
        query, key, value = torch.randn(3, 1, 64, 2, 128, generator=generator).to(device, torch.bfloat16)
        with torch.no_grad():
            expected = dispatch_attention_fn(query, key, value, backend=AttentionBackendName.NATIVE).float()
            actual = dispatch_attention_fn(query, key, value, backend=backend).float()
        distance = ((actual - expected).norm() / expected.norm()).item()
    except Exception as error:  # noqa: BLE001 - other people's kernels fail in their own ways
        return f"It failed when tried: {_sentence(error)}"
    if not distance <= LARGEST_ERROR:  # NaN too
        return f"Its result is {distance:.2g} away from PyTorch's own when tried; up to {LARGEST_ERROR} is rounding."
    return ""


def _sentence(error: Exception) -> str:
    """The first line of what an error says, as a sentence."""
    text = (str(error).strip().splitlines() or [""])[0].strip() or type(error).__name__
    return text if text.endswith(".") else f"{text}."
