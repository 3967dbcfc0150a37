"""Adapters on a pipeline: the methods that users of diffusers know, and what the steps of a run ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from mova_studio.adapter_use import PARTS, AdapterUse, check_uses
from mova_studio.diffusion.guidance import Velocity
from mova_studio.diffusion.residency import Residency
from mova_studio.diffusion.state import SamplingState
from mova_studio.errors import InputError
from mova_studio.network.adapter import Adapted, Weighted, check_fit
from mova_studio.network.adapter_file import Adapter, read_adapter

Strength = float | Mapping[str, float]


class AdapterMixin:
    """What a pipeline does with adapters.

    Adapters are added to what the linear layers give and never merged into their weights: whatever the format and
    place of those, taking an adapter off leaves the network bit for bit as it was.
    """

    residency: Residency
    predict_velocity: Callable[..., Velocity]
    _uses: tuple[AdapterUse, ...] = ()

    @cached_property
    def _loaded(self) -> dict[str, Adapter]:
        return {}

    @cached_property
    def _adapted(self) -> Adapted:
        return Adapted({component: getattr(self, component) for component in PARTS.values()})

    @property
    def adapters(self) -> tuple[AdapterUse, ...]:
        """The adapters in use, in the order in which they are added."""
        return self._uses

    @property
    def loaded_adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters."""
        return tuple(self._loaded)

    def load_lora_weights(self, pretrained_model_name_or_path: str | Path | Adapter, adapter_name: str) -> None:
        """Load an adapter; `set_adapters` then puts it to use.

        Args:
            pretrained_model_name_or_path: a safetensors or .pt file, the folder that a trainer wrote, or an adapter
                that was read already.
            adapter_name: what to call it.

        Raises:
            InputError: it is damaged, or was not made for this checkpoint, or the name is taken.
        """
        if adapter_name in self._loaded:
            raise InputError(f"There is an adapter called {adapter_name} already; delete it first.", field="adapters")
        adapter = pretrained_model_name_or_path
        if not isinstance(adapter, Adapter):
            adapter = read_adapter(Path(adapter))
        check_fit(adapter, {component: getattr(self, component) for component in PARTS.values()})
        self._loaded[adapter_name] = adapter

    def set_adapters(
        self,
        adapter_names: str | Sequence[str],
        adapter_weights: Strength | Sequence[Strength] | None = None,
        adapter_intervals: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        """Use these adapters, and no others, from the next run on.

        Args:
            adapter_names: of loaded adapters; none takes all off.
            adapter_weights: a strength for all, or one for each: a number, or a number by part of the network
                ("high", "low", "audio", "bridge"; parts that are not named have 0). None is 1.
            adapter_intervals: (start, stop) for each, in fractions of the steps; None is all steps.

        Raises:
            InputError: a name is unknown, a strength or an interval out of its range.
        """
        names = [adapter_names] if isinstance(adapter_names, str) else list(adapter_names)
        single = adapter_weights is None or isinstance(adapter_weights, (int, float, Mapping))
        weights: list[Any] = [adapter_weights] * len(names) if single else list(adapter_weights)  # type: ignore[arg-type]
        intervals = [(0.0, 1.0)] * len(names) if adapter_intervals is None else list(adapter_intervals)
        if not len(names) == len(weights) == len(intervals):
            raise InputError(
                f"{len(names)} adapters have {len(weights)} strengths and {len(intervals)} intervals; give each one.",
                field="adapters",
            )
        self.use_adapters(
            [
                AdapterUse(name, self._known(name).digest, **_by_part(weight), start=start, stop=stop)
                for name, weight, (start, stop) in zip(names, weights, intervals, strict=True)
            ]
        )

    def use_adapters(self, uses: Sequence[AdapterUse]) -> None:
        """As `set_adapters`, with everything said already; the names are those of loaded adapters.

        Raises:
            InputError: a name is unknown, or another adapter has it here, or one occurs twice.
        """
        check_uses(uses)
        for use in uses:
            if self._known(use.name).digest != use.digest:
                raise InputError(f"The adapter {use.name} is not the one that was asked for.", field="adapters")
        self._uses = tuple(uses)
        self._put(self._uses)

    def get_active_adapters(self) -> list[str]:
        """Names of the adapters in use."""
        return [use.name for use in self._uses]

    def get_list_adapters(self) -> dict[str, list[str]]:
        """Names of the loaded adapters by the components that they change."""
        found = {
            component: [name for name, adapter in self._loaded.items() if adapter.of(component)]
            for component in PARTS.values()
        }
        return {component: names for component, names in found.items() if names}

    def delete_adapters(self, adapter_names: str | Sequence[str]) -> None:
        """Take adapters off and let go of them.

        Raises:
            InputError: one is not loaded.
        """
        names = [adapter_names] if isinstance(adapter_names, str) else list(adapter_names)
        for name in names:
            self._known(name)
        self.use_adapters([use for use in self._uses if use.name not in names])
        for name in names:
            del self._loaded[name]

    def unload_lora_weights(self) -> None:
        """Take all adapters off and let go of them."""
        self.delete_adapters(list(self._loaded))

    @contextmanager
    def _adapting(self, state: SamplingState) -> Iterator[Callable[..., Velocity]]:
        """`predict_velocity` for the steps of `state`, each with the adapters that it has.

        Raises:
            InputError: the run was begun with other adapters.
        """
        if state.adapters != self._uses:
            raise InputError(
                f"This run was begun with the adapters {_listed(state.adapters)}, and the pipeline has "
                f"{_listed(self._uses)}; set the run's own to go on.",
                field="adapters",
            )
        total = state.settings.num_inference_steps

        def predict(*arguments: Any, **named: Any) -> Velocity:
            self._put([use for use in self._uses if state.step in use.steps(total)])
            return self.predict_velocity(*arguments, **named)

        try:
            yield predict
        finally:
            self._put(self._uses)
            self._adapted.bring((), self.residency.device)

    def _put(self, uses: Sequence[AdapterUse]) -> None:
        self._adapted.put([Weighted(self._loaded[use.name], use.strengths) for use in uses])

    def _known(self, name: str) -> Adapter:
        if name not in self._loaded:
            raise InputError(
                f"There is no adapter called {name!r}; loaded: {', '.join(self._loaded) or 'none'}.", field="adapters"
            )
        return self._loaded[name]


def _by_part(weight: Strength | None) -> dict[str, float]:
    if not isinstance(weight, Mapping):
        return dict.fromkeys(PARTS, 1.0 if weight is None else float(weight))
    unknown = sorted(set(weight) - set(PARTS))
    if unknown:
        raise InputError(f"The network has no part {unknown[0]!r}; its parts are {', '.join(PARTS)}.", field="adapters")
    return {part: float(weight.get(part, 0.0)) for part in PARTS}


def _listed(uses: Sequence[AdapterUse]) -> str:
    return ", ".join(f"{use.name} ({use.digest[:8]})" for use in uses) or "none"
