"""Sentences about training that come from below the page, in Chinese."""

from __future__ import annotations

TRAIN_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"No folder of clips is given; name one\.", "请填写片段文件夹。"),
    (
        r"(.+) is no folder, metadata\.json or \.tar shard; .*",
        r"\1 不是文件夹、metadata.json 或 .tar 分片，请填写片段所在的文件夹。",
    ),
    (r"(.+) holds no clip: .*", r"\1 中没有片段：没有 metadata.json、.tar 分片或视频。"),
    (r"(.+) lists no clip\.", r"\1 没有列出任何片段。"),
    (r"None of the (\d+) clips can be trained on\.", r"\1 个片段都无法用于训练。"),
    (r"(.+clips\.json) is damaged; .*", r"\1 已损坏，请重新运行 train encode，它只补做缺少的部分。"),
    (r"No size of clips is given; .*", "请填写片段尺寸，例如 640x352x193。"),
    (r"'(.+)' is no kind of clip; .*", r"“\1”不是片段尺寸，请填写宽、高和帧数，例如 640x352x193。"),
    (
        r"Clips of (\d+x\d+) cannot be trained on; both sides must be multiples of (\d+), .*",
        r"无法训练 \1 的片段：两边都须为 \2 的倍数，例如 640x352。",
    ),
    (
        r"Clips of (\d+) frames cannot be trained on; take (\d+) or (\d+) .*",
        r"无法训练 \1 帧的片段，请用 \2 或 \3 帧（4n + 1）。",
    ),
    (r"A training run is under way already; .*", "已有训练正在进行，请先停止它，或等它完成。"),
    (r"This training run is under way; stop it first\.", "该训练正在进行，请先停止。"),
    (r"This training run has reached its last step\.", "该训练已到最后一步。"),
    (r"There is no training run '(.*)' in this library\.", r"作品库中没有训练“\1”。"),
    (
        r"The disk of (.+) has (\d+) MB left and a training run needs at least (\d+) MB\. .*",
        r"\1 所在磁盘仅剩 \2 MB，训练至少需要 \3 MB，请清理空间。",
    ),
    (r"The system ended the process, most likely because memory ran out\.", "系统结束了训练进程，多半是内存不足。"),
    (r"The process ended with exit code (-?\d+): (.*)", r"训练进程已退出，代码 \1：\2"),
    (
        r"The clips in (.+) were encoded by another checkpoint .*",
        r"\1 中的片段由其他模型编码，请用要训练的模型重新运行 train encode。",
    ),
    (r"(.+) holds no finished cache of clips; .*", r"\1 中没有完整的已编码片段，请重新运行 train encode。"),
    (
        r"(.+) ran out in step (\d+) \((.*)\)\. Lower batch_size, .*?(?:The run can go on from step (\d+) .*)?",
        r"第 \2 步时 \1 不足（\3）。请减小批大小，或改用低显存适配器。",
    ),
)
