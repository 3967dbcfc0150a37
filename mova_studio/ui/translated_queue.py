"""What the queue, its library and scouting say, in Chinese; see `translated.py`."""

from __future__ import annotations

QUEUE_NESTED: tuple[tuple[str, str], ...] = (
    (
        r"the run cannot be saved on the way, so that a crash would start it over: (.+)",
        r"进度无法保存，若中途崩溃须从头开始：\1",
    ),
)

QUEUE_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"There is no job '(.*)' in this library\.", r"此库中没有任务“\1”。"),
    (r"Job (\S+) is (\w+) and cannot become (\w+)\.", r"任务 \1 当前为 \2，不能变为 \3。"),
    (
        r"Job (\S+) is (\w+); only waiting and paused jobs can be moved\.",
        r"任务 \1 当前为 \2；只有等待或暂停的任务可以移动。",
    ),
    (
        r"Job (\S+) runs or has ended; only waiting and paused jobs can be moved\.",
        r"任务 \1 正在运行或已结束，不能移动。",
    ),
    (
        r"(\d+) jobs are unfinished already and the queue takes (\d+); .*",
        r"已有 \1 个未完成的任务，队列最多 \2 个，请先完成或取消一些。",
    ),
    (r"The values of (\S+) are (.+); give each one once\.", r"\1 的取值为 \2，请勿重复。"),
    (r"A grid has one or two axes, each of another setting\.", "请选择一个或两个不同的设置进行对比。"),
    (r"The grid has (\d+) cells and at most (\d+) are taken; vary less\.", r"共 \1 格，最多 \2 格，请减少取值。"),
    (r"The share of steps is (\S+), but must be above 0 and at most 1\.", r"步数占比为 \1，须大于 0 且不超过 1。"),
    (
        r"This library is open in another MOVA Studio(.*); here it can only be read\. .*",
        r"此库已在另一个 MOVA Studio 中打开\1，这里只能查看。请关闭另一个，或用 --library 打开其他库。",
    ),
    (r"(.+) cannot be written: the disk is full; free some space\.(.*)", r"无法写入 \1：磁盘已满，请腾出空间。"),
    (r"(.+) cannot be written: it is read-only here\.(.*)", r"无法写入 \1：此处为只读。"),
    (r"(.+) was busy for (\S+) s; try again\.", r"\1 已忙碌 \2 秒，请重试。"),
    (r"(.+) cannot be used \((.+)\); check that its disk is connected\.", r"无法使用 \1（\2），请检查磁盘是否已连接。"),
    (
        r"The library's file (.+) is gone: .*",
        r"库文件 \1 不见了：文件夹被移动或删除，或磁盘未连接。请恢复它，或用 --library 另选文件夹。",
    ),
    (
        r"The disk of the library (.+) has (\d+) MB left and a take may need (\d+) MB\. .*",
        r"库 \1 所在磁盘仅剩 \2 MB，一条成片可能需要 \3 MB。请腾出空间，队列会自动继续。",
    ),
    (r"what was saved at step (\d+) is damaged; the run starts over", r"第 \1 步保存的进度已损坏，将从头开始"),
    (
        r"what was saved at step (\d+) belongs to another shot or checkpoint; the run starts over",
        r"第 \1 步保存的进度属于另一个镜头或模型，将从头开始",
    ),
    (
        r"The worker process ended (\d+) times at step (\d+) of (\d+) of this take .*",
        r"生成进程在第 \2/\3 步退出了 \1 次。其他内容没有丢失；请减小尺寸，或在“系统”中减少可用内存后重试。",
    ),
)
