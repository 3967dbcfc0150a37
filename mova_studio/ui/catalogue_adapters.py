"""Every sentence about adapters, in English and in Chinese."""

from __future__ import annotations

ADAPTER_TEXTS: dict[str, tuple[str, str]] = {
    # Installed ones, under Models
    "adapters.title": ("Adapters (LoRA)", "适配器（LoRA）"),
    "adapters.text": (
        "Small additions to a checkpoint: a style, a voice, a movement. Choose them for a shot under Create, Advanced.",
        "对模型的小型补充，例如风格、声音或动作。在“创作”的“高级”中为镜头选用。",
    ),
    "adapters.empty.title": ("No adapter is installed", "尚未安装适配器"),
    "adapters.empty.text": (
        "Import a file from MOVA's trainers, from peft or diffusers, or one for Wan 2.2, such as style.safetensors.",
        "可导入 MOVA 训练器、peft 或 diffusers 的文件，或用于 Wan 2.2 的适配器，例如 style.safetensors。",
    ),
    "adapters.layers": ("layers changed: {parts}", "更改的层数：{parts}"),
    "adapters.rank": ("rank {ranks}", "秩 {ranks}"),
    "adapters.from": ("from {source}", "来自 {source}"),
    "adapters.fits": ("fits the checkpoint in use", "适用于当前模型"),
    "adapters.misfit": ("not for the checkpoint in use", "不适用于当前模型"),
    "adapters.remove": ("Remove", "移除"),
    "adapters.remove.sure": ("Delete its file", "删除文件"),
    "adapters.remove.keep": ("Keep", "保留"),
    "adapters.removed": ("{name} was removed.", "已移除 {name}。"),
    "adapters.imported": ("{name} is installed.", "已安装 {name}。"),
    "adapters.reading": ("Reading the file …", "正在读取文件 …"),
    "adapters.name": ("Name · as the file, if empty", "名称 · 留空则同文件名"),
    "adapters.experts": ("A Wan 2.2 adapter is for", "Wan 2.2 适配器用于"),
    "adapters.experts.both": ("both experts", "两个专家"),
    "adapters.experts.high": ("the high-noise expert", "高噪声专家"),
    "adapters.experts.low": ("the low-noise expert", "低噪声专家"),
    "adapters.upload": ("Import a file", "导入文件"),
    "adapters.path": (
        "Or, for more than 64 MB, its whole path on this machine",
        "超过 64 MB 时，填写它在本机的完整路径",
    ),
    "adapters.path.button": ("Import", "导入"),
    "adapters.path.whole": (
        "{path} is not a whole path; begin it with / or a drive.",
        "“{path}”不是完整路径，请以 / 或盘符开头。",
    ),
    "adapters.none_chosen": ("Choose a file, or type its path.", "请选择文件，或填写路径。"),
    # In a shot, under Create
    "adapters.shot.label": ("Adapters", "适配器"),
    "adapters.shot.add": ("Add an adapter …", "添加适配器 …"),
    "adapters.shot.none": ("None is installed.", "尚未安装。"),
    "adapters.shot.models": ("Import one under Models", "到“模型”中导入"),
    "adapters.shot.strength": ("Strength", "强度"),
    "adapters.shot.mixed": ("by part", "分部分"),
    "adapters.shot.details": ("Parts and steps", "部分与步数"),
    "adapters.shot.remove": ("Take it off", "取下"),
    "adapters.shot.gone": ("not installed here; import its file, or take it off", "本机未安装；请导入其文件，或取下"),
    "adapters.shot.from": ("From, 0 to 1 of the steps", "起点（步数的 0 到 1）"),
    "adapters.shot.until": ("Until, 1 is the end", "终点（1 为结束）"),
    "adapters.part.high": ("High-noise expert", "高噪声专家"),
    "adapters.part.low": ("Low-noise expert", "低噪声专家"),
    "adapters.part.audio": ("Audio tower", "音频塔"),
    "adapters.part.bridge": ("Bridge", "桥"),
    "adapters.restored": ("With adapters: {names}.", "使用了适配器：{names}。"),
    "adapters.missing": (
        "The adapter {name} is not installed here; import its file, or take it off under Advanced.",
        "本机未安装适配器 {name}；请导入其文件，或在“高级”中取下。",
    ),
    "info.adapters": ("Adapters", "适配器"),
}
