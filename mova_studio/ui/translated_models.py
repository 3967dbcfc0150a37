"""Sentences about checkpoints and downloads that come from below the page, in Chinese."""

from __future__ import annotations

MODELS_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"A check is running already; .*", "已有校验正在进行，请先停止它，或等它完成。"),
    (r"'(.*)' is not a whole path; .*", r"“\1”不是完整路径，请以 / 或盘符开头。"),
    (r"'(.*)' is not in the list of checkpoints any more\.", r"“\1”已不在模型列表中。"),
    (r"'(.*)' is in use; use another checkpoint first\.", r"正在使用“\1”，请先切换到其他模型。"),
    (r"'(.*)' did not come from the hub; .*", r"“\1”不是从模型库下载的，请重新复制文件。"),
    (
        r"(\S+) needs ([\d.]+) GB of free disk \(([\d.]+) GB to fetch and 1\.1 GB to spare\), "
        r"and (.+) has ([\d.]+) GB\..*",
        r"\1 需要 \2 GB 磁盘空间（下载 \3 GB，另留 1.1 GB），而 \4 仅剩 \5 GB。请清理空间，或换一个文件夹。",
    ),
    (
        r"(\S+) cannot be reached \((\w+)\)\..*",
        r"无法连接 \1（\2）。请检查网络和代理；已下载的部分会保留，可继续下载。"
        r"没有网络时，请从别处复制文件夹并填写其路径。",
    ),
    (
        r"(\S+) shows no checkpoint (\S+) to this account\..*",
        r"\1 上没有此账号可见的 \2。请检查拼写；若为私有模型，请先用 hf auth login 登录。",
    ),
    (r"(\S+) answered with status (\d+)\..*", r"\1 返回状态 \2，请稍后再试；已下载的部分会保留。"),
    (
        r"HF_HUB_OFFLINE is set, so (\S+) cannot be fetched; .*",
        r"已设置 HF_HUB_OFFLINE，无法下载 \1；请取消该设置后重试。",
    ),
    (
        r"(.+) is not empty, and nothing in it came from a download of (\S+); .*",
        r"\1 不是空文件夹，也没有 \2 的下载内容；请换一个新文件夹或空文件夹。",
    ),
    (r"(.+) holds (\S+), not (\S+); choose another folder\.", r"\1 中是 \2，不是 \3，请换一个文件夹。"),
    (r"Another download of (\S+) into (.+) is running; .*", r"另一个程序正在把 \1 下载到 \2，请等它完成或停止它。"),
    (
        r"'(.+)' is neither a folder on this machine nor a hub id\..*",
        r"“\1”既不是本机文件夹，也不是模型库编号。请填写含有 model_index.json 的文件夹，"
        r"或“所有者/名称”形式的编号。",
    ),
    (r"(\S+) is not on this machine; it is about (\d+) GB\..*", r"\1 不在本机，约 \2 GB，请先下载。"),
    (r"(\S+) is not on this machine; it is of unknown size\..*", r"\1 不在本机，请先下载。"),
    (
        r"(\S+) \(.+\) is only partly on this machine: (\d+) files are missing, first (\S+)\. .*",
        r"\1 不完整：缺少 \2 个文件，首个为 \3。请继续下载。",
    ),
    (r"(.+) is cut short or not a safetensors file: (.+)\.", r"\1 不完整，或不是 safetensors 文件：\2。"),
    (r"(.+) has ([\d,]+) bytes instead of ([\d,]+)\.", r"\1 有 \2 字节，应为 \3 字节。"),
)
