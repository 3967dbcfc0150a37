"""Sentences about adapters that come from below the page, in Chinese; see `translated.py`."""

from __future__ import annotations

ADAPTER_SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"(.+) is for another checkpoint: (\S+) does not exist here, and the adapter's is (.+) \(lora_A .+\)\.",
        r"\1 用于其他模型：此处没有 \2，而适配器的形状为 \3。",
    ),
    (
        r"(.+) is for another checkpoint: (\S+) is (.+) here, and the adapter's is (.+) \(lora_A .+\)\.",
        r"\1 用于其他模型：此处 \2 的形状为 \3，而适配器的为 \4。",
    ),
    (
        r"The adapter (.+) \((\w+)\) is not installed here; import its file, or take it off\.",
        r"本机未安装适配器 \1（\2）；请导入其文件，或取下。",
    ),
    (r"No adapter called '(.+)' is installed; installed: .*", r"没有安装名为“\1”的适配器。"),
    (r"An adapter called '(.+)' is installed already; .*", r"已安装名为“\1”的适配器，请换一个名称。"),
    (
        r"An adapter cannot be called '(.*)'; use up to (\d+) .*",
        r"适配器不能叫“\1”；请使用最多 \2 个字母、数字、空格和 .()+-_。",
    ),
    (r"The adapter (.+) is chosen twice; .*", r"适配器 \1 选了两次，请只保留一次。"),
    (
        r"The strength of adapter (.+) in (\w+) is (\S+), but must be from (\S+) to (\S+?)\.",
        r"适配器 \1 在 \2 中的强度为 \3，须在 \4 至 \5 之间。",
    ),
    (
        r"Adapter (.+) is to be there from (\S+) to (\S+), but .*",
        r"适配器 \1 的区间为 \2 至 \3，须满足 0 ≤ 起点 ≤ 终点 ≤ 1。",
    ),
    (r"The adapter (.+) has a strength that is no number\.", r"适配器 \1 的强度不是数字。"),
    (r"(.+) holds no tensors: .*", r"\1 中没有张量：保存它的程序写出了空的适配器。"),
    (
        r"(.+): (\S+) (\[.*\]) belongs to no layer of MOVA's network; .*",
        r"\1：\2 \3 不属于 MOVA 网络的任何层；它用于其他模型，或不是 LoRA。",
    ),
    (
        r"(.+): (\S+) (\[.*\]) holds numbers that are not finite; .*",
        r"\1：\2 \3 含有非有限数值，训练已损坏，请使用更早保存的文件。",
    ),
    (r"(.+): (\S+) has no (lora_\w); the file is incomplete\.", r"\1：\2 缺少 \3，文件不完整。"),
    (
        r"(.+) \(([\d,]+) bytes\) is truncated or no adapter file \(.*",
        r"\1（\2 字节）不完整，或不是适配器文件，请重新获取。",
    ),
    (
        r"(.+) holds more than tensors and numbers, or is damaged\. .*",
        r"\1 含有张量和数字以外的内容，或已损坏。读取这类文件可能会运行程序，因此不读取；请索取 safetensors 格式。",
    ),
    (r"(.+) is truncated or damaged \(.*", r"\1 不完整或已损坏，请重新获取。"),
)
