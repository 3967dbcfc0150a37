"""Sentences of plans, machines and limits that come from below the page, in Chinese."""

from __future__ import annotations

_GB = r"([\d.]+) GiB"
_STAGES = {"text": "提示词阶段", "frames": "首尾帧阶段", "denoise": "去噪阶段", "decode": "解码阶段"}
_MEMORIES = {"VRAM": "显存", "RAM": "内存"}
_RAN_OUT = _MEMORIES | {"pinned memory": "锁页内存", "shared GPU memory": "共享显存"}
_REMEDIES = {"Close other programs, raise": "关闭其他程序、", "Raise": ""}

SHORT: tuple[tuple[str, str], ...] = (
    *(
        (
            rf"{stage} needs {_GB} of {memory} and {_GB} can be used",
            rf"{stage_words}需要 \1 GB {memory_words}，可用 \2 GB",
        )
        for stage, stage_words in _STAGES.items()
        for memory, memory_words in _MEMORIES.items()
    ),
    (r"it ran out of memory on this machine before, with as much free as now", "以前在本机以同样的可用量运行时曾耗尽"),
    *(
        (rf"{stage} would need no less than what ran out in this run", f"{words}的需求不低于本次耗尽时的用量")
        for stage, words in _STAGES.items()
    ),
)

# A group that is itself such a sentence is translated in its turn.
NESTED: tuple[tuple[str, str], ...] = (
    *(
        (
            rf"(\d+x\d+) with (\d+) frames needs at least {_GB} of VRAM and {_GB} of RAM here \(plan (.+?)\): (.+)\. "
            rf"{remedy} the cap, .*",
            rf"\1、\2 帧至少需要 \3 GB 显存和 \4 GB 内存（方案 \5）：\6。"
            rf"请{words}提高上限、减小尺寸或帧数，或选择仍要尝试。",
        )
        for remedy, words in _REMEDIES.items()
    ),
    *(
        (
            rf"(\d+x\d+) with (\d+) frames needs at least {_GB} of RAM here \(plan (.+?)\): (.+)\. "
            rf"{remedy} the cap, .*",
            rf"\1、\2 帧至少需要 \3 GB 内存（方案 \4）：\5。请{words}提高上限、减小尺寸或帧数，或选择仍要尝试。",
        )
        for remedy, words in _REMEDIES.items()
    ),
    *(
        (
            rf"{memory} ran out at step (\d+) of (\d+) with the plan (.+?); it goes on from there with (.+)",
            rf"{words}在第 \1/\2 步耗尽（方案 \3），已改用 \4 继续",
        )
        for memory, words in _RAN_OUT.items()
    ),
    *(
        (
            rf"{memory} ran out at step (\d+) of (\d+) with the plan (.+?)\. (.+)",
            rf"{words}在第 \1/\2 步耗尽（方案 \3）。\4",
        )
        for memory, words in _RAN_OUT.items()
    ),
    (r"Trying anyway: (.+)", r"仍要尝试：\1"),
)

WHOLE: tuple[tuple[str, str], ...] = (
    (
        r"(.+) is not in the table of cards; times are those of (.+), the slowest known one of its capability\.",
        r"显卡表中没有 \1；用时按同计算能力中最慢的 \2 估算。",
    ),
    (r"No figures are known for (.+); times are a processor's\.", r"没有 \1 的数据，用时按处理器估算。"),
    (
        r"No figures are known for '(.+)': it is predicted as the slowest known of compute capability (\S+), (.+)\.",
        r"没有“\1”的数据：按计算能力 \2 中最慢的 \3 估算。",
    ),
    (
        r"No figures are known for a GPU called '(.+)'\. Did you mean (.+)\? .*",
        r"没有名为“\1”的显卡的数据。是否指 \2？否则请同时填写显存和计算能力。",
    ),
    (
        r"No figures are known for a GPU called '(.+)'\. Give .*",
        r"没有名为“\1”的显卡的数据，请同时填写显存和计算能力。",
    ),
    (
        r"A GPU without a name, taken for one of compute capability (\S+) .* slowest known, (.+): name it .*",
        r"未填写显卡名称，按计算能力 \1 中最慢的 \2 估算；填写名称会更准确。",
    ),
    (r"Compute capability (\S+) alone describes no GPU: .*", r"仅有计算能力 \1 不足以确定显卡，请填写显存或名称。"),
    (r"capability '(.+)' is no CUDA compute capability: .*", r"“\1”不是计算能力，应为 8.9 这样的两个数字。"),
    (r"gpu 'none' has no (?:\w+): .*", "没有显卡时不能填写显存或计算能力。"),
    (r"vram_gb (\S+) is no amount of video memory: it is from 0 to (\d+)\.", r"显存不能为 \1：须为 0 到 \2。"),
    (r"ram_gb (\S+) is no amount of RAM: it is from 0 to (\d+)\.", r"内存不能为 \1：须为 0 到 \2。"),
    (
        rf"The quantized weights take {_GB} on disk and {_GB} are free: .*",
        r"量化权重需要 \1 GB 磁盘空间，可用 \2 GB；放不下的部分每次启动都要重新生成。",
    ),
    (
        rf"The quantized weights take {_GB} and the disk of (.+) has {_GB} free; .*",
        r"量化权重需要 \1 GB，\2 所在磁盘可用 \3 GB；不予保存，下次启动重新生成。",
    ),
    (r"The quantized weights could not be kept \((.+)\); .*", r"量化权重无法保存（\1），下次启动重新生成。"),
    (r"Compiled layers cannot stream: .*", "已编译的层不能流式传输：请去掉 compile 或 offload=group 其中之一。"),
    (
        r"Pinned memory ran out: the system refused to lock (\d+) MiB more .*",
        r"锁页内存耗尽：系统拒绝再锁定 \1 MiB。请关闭其他程序或降低内存上限。",
    ),
    (r"The cap vram_gb is (\S+), but must be 0 or more GiB\.", r"显存上限为 \1，须不小于 0 GB。"),
    (r"The cap ram_gb is (\S+), but must be 0 or more GiB\.", r"内存上限为 \1，须不小于 0 GB。"),
    (r"The pin (\w+) is (.+), but here it can be (.+)\.", r"自行指定的 \1 为 \2，本机可选 \3。"),
    (r"The pin (\w+) is (.+), but must be 1 or more\.", r"自行指定的 \1 为 \2，须不小于 1。"),
    (
        r"The pin weights is 'fp8_compute', which needs .*",
        "权重格式 fp8_compute 需要计算能力 8.9 或更高的英伟达显卡，请改用 fp8。",
    ),
    (r"A take is being made; cancel it or .*", "正在生成，请先取消或等它完成，再释放内存。"),
    (
        r"(.+) is here, but torch is not installed: .*",
        r"检测到 \1，但未安装 PyTorch，请安装 requirements.txt 中的依赖。",
    ),
    (
        r"(.+) is here, but torch (\S+) was built for (?:.+): runs would not use the GPU\. .*",
        r"检测到 \1，但 PyTorch \2 不支持它，生成时不会使用该显卡。请安装支持 CUDA 的版本。",
    ),
    (
        r"torch (\S+) was built for CUDA (\S+), which needs NVIDIA driver (\S+) or newer; the driver is (\S+)\. .*",
        r"PyTorch \1 面向 CUDA \2，需要 \3 或更新的驱动，当前为 \4。请更新驱动，或安装面向旧版 CUDA 的 PyTorch。",
    ),
    (
        r"(.+) \(compute capability (\S+)\) has no bfloat16 matrix units, .*",
        r"\1（计算能力 \2）没有 bfloat16 矩阵单元，可以运行但较慢。建议减少步数和尺寸。",
    ),
    (
        r"The quantized weights in (.+) (?:could not be read \(.*\)|are damaged); they are made anew\.",
        r"\1 中的量化权重已损坏，正在重新生成。",
    ),
    (
        r"The guidance interval stops at (\S+), before its start at (\S+); .*",
        r"引导终点 \1 早于起点 \2，请填写不小于 \2 且不超过 1 的数。",
    ),
)
