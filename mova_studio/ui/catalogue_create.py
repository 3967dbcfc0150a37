"""Every sentence of presets, restoring and a take's buttons, in English and in Chinese."""

from __future__ import annotations

CREATE_TEXTS: dict[str, tuple[str, str]] = {
    # Presets
    "preset.label": ("Preset", "预设"),
    "preset.shot": ("Shot · {name}", "镜头 · {name}"),
    "preset.render": ("Render · {name}", "渲染 · {name}"),
    "preset.checkpoint": ("Render · the model's own", "渲染 · 模型自带"),
    "preset.own.shot": ("My shot · {name}", "我的镜头 · {name}"),
    "preset.own.render": ("My render · {name}", "我的渲染 · {name}"),
    "preset.broken": ("Unusable · {name}", "无法使用 · {name}"),
    "preset.apply": ("Apply", "应用"),
    "preset.save": ("Save as", "另存为"),
    "preset.delete": ("Delete", "删除"),
    "preset.choose": ("Choose a preset first.", "请先选择一个预设。"),
    "preset.applied": ("“{name}” was applied; pictures and seed stayed.", "已应用“{name}”，图片和种子未变。"),
    "preset.name.label": ("Name", "名称"),
    "preset.kind.label": ("What it keeps", "保存内容"),
    "preset.kind.shot": ("Shot: prompt and settings", "镜头：提示词和设置"),
    "preset.kind.render": ("Render: settings alone", "渲染：仅设置"),
    "preset.keep": ("Save", "保存"),
    "preset.replace": (
        "“{name}” is there already. Press Save again to replace it.",
        "“{name}”已存在。再次点击“保存”将替换它。",
    ),
    "preset.saved": ("“{name}” is saved.", "已保存“{name}”。"),
    "preset.sure": ("Delete “{name}” for good?", "确定永久删除“{name}”？"),
    "preset.delete.yes": ("Delete for good", "永久删除"),
    "preset.deleted": ("“{name}” was deleted.", "已删除“{name}”。"),
    "form.close": ("Cancel", "取消"),
    # Restoring
    "restore.label": (
        "Drop an mp4, PNG or JSON to restore its settings",
        "拖入 mp4、PNG 或 JSON 以恢复其设置",
    ),
    "restore.large": (
        "That file is larger than {limit} MiB, the most that is read. Give the output of inspect --json instead.",
        "文件超过 {limit} MiB 的读取上限。请改用 inspect --json 的输出。",
    ),
    "restore.done": ("Settings restored from {name}.", "已从 {name} 恢复设置。"),
    "restore.take": ("Settings of this take are in the form.", "已填入此成片的设置。"),
    "restore.model": (
        "They were made with {model}; {used} stays in use. The owner can switch under Models.",
        "这些设置来自 {model}，当前仍使用 {used}。所有者可在“模型”中切换。",
    ),
    "restore.seed": ("Keep its seed?", "是否保留种子？"),
    "restore.keep": ("Keep seed {seed}", "保留种子 {seed}"),
    "restore.fresh": ("New seed", "新种子"),
    "restore.undo": ("Undo", "撤销"),
    "restore.undone": ("The form is as it was.", "表单已恢复原状。"),
    # A take's buttons
    "take.to_first": ("Last frame to first frame", "尾帧作首帧"),
    "take.extend": ("Extend", "延长"),
    "take.overlap": ("Overlap in frames", "重叠帧数"),
    "take.overlap.frames": ("{count} frames overlap", "重叠 {count} 帧"),
    "take.still": ("Save last frame", "保存尾帧"),
    "result.first": ("The last frame of this take is now the first frame.", "此成片的尾帧已作为首帧。"),
    "result.extend": (
        "This goes on from the take: its last {count} frames and the first {count} of the new take are the same "
        "moment. Cross-fade them when you cut the two together.",
        "将接着此成片继续：其最后 {count} 帧与新成片的前 {count} 帧是同一时刻，剪接时可在这一段交叉淡化。",
    ),
    "result.gone": ("There is no finished take in view.", "当前没有可用的成片。"),
    # Several takes, and being told
    "count.label": ("Takes", "数量"),
    "count.wrong": (
        "{value} takes cannot be queued at once; give 1 to {most}.",
        "一次不能排入 {value} 个，请填 1 至 {most}。",
    ),
    "count.some": ("{done} of {count} takes were queued. {reason}", "已排入 {count} 个中的 {done} 个。{reason}"),
}
