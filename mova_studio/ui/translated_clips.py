"""Why a clip cannot be trained on, in Chinese."""

from __future__ import annotations

_FILE = r"(.+?\.(?:mp4|mov|mkv|webm|avi|m4v|ts|flv|3gp|tar|txt|json)(?: entry \d+)?)"

# The group after the file's name is a sentence of its own.
CLIP_NESTED: tuple[tuple[str, str], ...] = (
    (r"None of the (\d+) clips in (.+?) can be trained on\. (.+)", r"\2 中的 \1 个片段都无法用于训练。\3"),
    (r"None of the (\d+) clips can be trained on\. The first reason: (.+)", r"\1 个片段都无法用于训练。第一个原因：\2"),
    (rf"{_FILE}: (.+)", r"\1：\2"),
)

CLIP_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"It has no caption; write one into (.+?) entry (\d+)\.", r"没有描述，请写入 \1 的第 \2 项。"),
    (r"It has no caption; write one into (.+)\.", r"没有描述，请写入 \1。"),
    (r"The caption is empty; .*", "描述为空，请写出看到和听到的内容。"),
    (r"The caption has (\d+) bytes and at most (\d+) are read; .*", r"描述有 \1 字节，最多读取 \2 字节，请缩短。"),
    (r"The caption is no text in UTF-8, .*", "描述不是 UTF-8、UTF-16 或 GB18030 文本，请另存为 UTF-8。"),
    (
        r"It has (\d+) frames? at 24 a second, and the shortest kind of clip has (\d+); .*",
        r"按每秒 24 帧计只有 \1 帧，而最短的片段要 \2 帧，请换更长的片段，或添加更短的尺寸。",
    ),
    (r'It has no "video_path"\.', "没有 video_path。"),
    (r"It lies outside of (.+); move it, or .*", r"它在 \1 之外，请移动它，或把 metadata.json 移到上层。"),
    (r"It does not exist; check its path in metadata\.json\.", "文件不存在，请检查 metadata.json 中的路径。"),
    (r"It is cut short; the clips before the cut are used\. .*", "文件不完整，只使用断点之前的片段，请重新复制。"),
    (
        r"The shard ends within it, after (\d+) of (\d+) bytes\.",
        r"分片在它中间结束：\2 字节中只有 \1 字节。",
    ),
    (r"It has ([\d.]+) Gi?B and at most 4 are taken; .*", r"大小为 \1 GB，最多 4 GB，请先剪短。"),
    (r"Its key has a video already\.", "同名的视频已经存在。"),
    (r"(.+) cannot be read \((.+)\)\.", r"无法读取 \1（\2）。"),
    (r"There is no picture in it\.", "文件中没有画面。"),
    (r"There is a picture track without any picture in it\.", "视频轨中没有画面。"),
    (r"There is no picture ([\d.]+) s after the first one\.", r"第一帧之后 \1 秒处没有画面。"),
    (r"A picture in it is damaged; .*", "其中有画面已损坏，请重新复制或下载。"),
    (r"The picture's size changes within the clip; .*", "片段中画面尺寸有变化，请以同一尺寸重新编码。"),
    (r"Its clock jumps by (-?\d+) s between two pictures; .*", r"两帧之间时间跳变 \1 秒，请重新编码。"),
    (r"(.+) has a sound track without any sound in it\.", r"\1 的音轨中没有声音。"),
    (r"(.+) is empty \(0 bytes\); choose another file\.", r"\1 是空文件（0 字节），请换一个文件。"),
    (r"(.+) holds neither picture nor sound that can be read; .*", r"\1 中没有可读取的画面或声音，请换一个文件。"),
    (
        r"(.+) is cut short: (\d+) of (\d+) pieces of (?:video|audio) are left; .*",
        r"\1 不完整：\3 个数据块中只剩 \2 个，请重新复制或下载。",
    ),
)
