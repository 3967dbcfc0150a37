"""From a request and a picture to a model's tensors, with whatever processor the model brings; without torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mova_studio.errors import CheckpointError

if TYPE_CHECKING:
    from PIL import Image

    from mova_studio.prompting.local_place import LocalModel

IMAGE_PAD = "<|image_pad|>"


class Reader:
    """The processor, or the tokenizer, of a model.

    Args:
        model: whose files are read.

    Raises:
        CheckpointError: they are damaged, need what is not installed, or have no chat template.
    """

    def __init__(self, model: LocalModel) -> None:
        from transformers import AutoProcessor, AutoTokenizer

        self.processor: Any = None
        self.images: Any = None
        if model.sees:
            try:
                self.processor = AutoProcessor.from_pretrained(model.folder, local_files_only=True)
            except ImportError:
                # Processors with a part for video need torchvision; pictures alone do not.
                self.images = _image_processor(model)
        self.tokenizer: Any = (
            AutoTokenizer.from_pretrained(model.folder, local_files_only=True)
            if self.processor is None
            else self.processor.tokenizer
        )
        self._speaker = self.processor if getattr(self.processor, "chat_template", None) else self.tokenizer
        if not self._speaker.chat_template:
            raise CheckpointError(
                f"{model.name} has no chat template, so it is no instruct model; choose one that is.", field="backend"
            )
        self._sees = model.sees

    def read(self, system: str, request: str, picture: Image.Image | None) -> Any:
        """The model's inputs, a batch of one."""
        text = self._chat(system, request, pictured=picture is not None)
        if self.processor is not None:
            pictures = None if picture is None else [picture]
            return self.processor(text=[text], images=pictures, return_tensors="pt", add_special_tokens=False)
        if self.images is None:
            return self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        return self._padded(text, picture)

    def _chat(self, system: str, request: str, *, pictured: bool) -> str:
        from jinja2 import TemplateError

        def part(text: str) -> Any:
            return [{"type": "text", "text": text}] if self._sees else text

        asked = part(request)
        together = part(f"{system}\n\n{request}")
        if pictured:
            asked, together = [{"type": "image"}, *asked], [{"type": "image"}, *together]
        try:
            return self._told([{"role": "system", "content": part(system)}, {"role": "user", "content": asked}])
        except TemplateError:
            # Some templates know no system role.
            return self._told([{"role": "user", "content": together}])

    def _told(self, messages: list[dict[str, Any]]) -> str:
        return str(
            self._speaker.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )

    def _padded(self, text: str, picture: Image.Image | None) -> Any:
        """What Qwen's processors do: a mark for each patch that the model will put in its place."""
        import torch
        from transformers import BatchFeature

        seen = {} if picture is None else dict(self.images(images=[picture], return_tensors="pt"))
        if seen:
            patches = int(seen["image_grid_thw"][0].prod()) // self.images.merge_size**2
            text = text.replace(IMAGE_PAD, IMAGE_PAD * patches)
        tokens = dict(self.tokenizer(text, return_tensors="pt", add_special_tokens=False))
        pad = self.tokenizer.convert_tokens_to_ids(IMAGE_PAD)
        kinds = (tokens["input_ids"] == pad).to(torch.int64)
        return BatchFeature({**tokens, **seen, "mm_token_type_ids": kinds})


def _image_processor(model: LocalModel) -> Any:
    from transformers import AutoImageProcessor, AutoTokenizer

    images = AutoImageProcessor.from_pretrained(model.folder, local_files_only=True, backend="pil")
    known = AutoTokenizer.from_pretrained(model.folder, local_files_only=True).get_vocab()
    if not hasattr(images, "merge_size") or IMAGE_PAD not in known:
        raise CheckpointError(
            f"The processor of {model.name} needs torchvision, which the studio does without; choose another model, "
            "or run this one behind a server.",
            field="backend",
        )
    return images
