"""The sentences of the queue, the banner and the Scouts view, in English and in Chinese."""

from __future__ import annotations

QUEUE_TEXTS: dict[str, tuple[str, str]] = {
    "queue.title": ("Queue", "队列"),
    "queue.title.own": ("Your queue", "您的队列"),
    "queue.empty": (
        "Takes that you ask for line up here. Press Generate again while one runs to add another.",
        "您提交的任务会在这里排队。生成过程中可再次点击“生成”加入新任务。",
    ),
    "queue.show": ("Show this take", "查看该成片"),
    "queue.grip": ("Drag to another place", "拖动以调整顺序"),
    "queue.front": ("To the front", "移到最前"),
    "queue.up": ("Up", "上移"),
    "queue.down": ("Down", "下移"),
    "queue.pause": ("Pause", "暂停"),
    "queue.resume": ("Resume", "继续"),
    "queue.edit": ("Edit", "编辑"),
    "queue.duplicate": ("Duplicate, with another seed", "复制（换一个种子）"),
    "queue.cancel": ("Cancel this one", "取消该任务"),
    "queue.retry": ("Retry", "重试"),
    "queue.retry.step": ("Retry; goes on at {step}/{steps}", "重试，从 {step}/{steps} 继续"),
    "queue.hold": ("Pause queue", "暂停队列"),
    "queue.go": ("Go on", "继续队列"),
    "queue.held": (
        "The queue is paused: nothing further begins. What runs now finishes.",
        "队列已暂停：不会开始新任务，正在运行的会完成。",
    ),
    "queue.cancel_all": ("Cancel all", "全部取消"),
    "queue.cancel_all.sure": ("Cancel all {count}", "确认取消全部 {count} 个"),
    "queue.cancel_all.keep": ("Keep them", "保留"),
    "queue.more": ("and {count} more", "还有 {count} 个"),
    "queue.more.show": ("Show more", "显示更多"),
    "queue.close": ("Close the queue", "收起队列"),
    "queue.front.hint": ("Shift+click: first in line", "按住 Shift 点击：排在最前"),
    "queue.save": ("Save changes", "保存更改"),
    "queue.leave": ("Leave it as it was", "保持原样"),
    "queue.editing": (
        "These are the settings of a job that waits: {title}. Change them and save.",
        "这是等待中任务的设置：{title}。修改后请保存。",
    ),
    "queue.edit.late": (
        "This job began while you were editing it, so it is made as it was. Your changes are still here: Generate "
        "makes them a job of their own.",
        "编辑期间该任务已开始，因此按原设置生成。您的更改仍在这里：点击“生成”即可作为新任务提交。",
    ),
    "queue.edit.cell": (
        "This job belongs to a grid of scouts and keeps its settings; duplicate it to change them.",
        "该任务属于试拍网格，设置不能更改；如需修改请先复制。",
    ),
    # A job's state
    "state.paused": ("paused before it began", "已暂停，尚未开始"),
    "state.paused.step": ("paused at {step}/{steps}", "已暂停于 {step}/{steps}"),
    "state.scouted": ("scout: judged at {step}/{steps}", "试拍：停在 {step}/{steps} 待评判"),
    "state.goes_on": ("goes on from step {step}", "从第 {step} 步继续"),
    # Stage
    "preview.listen": ("Listen", "听声音"),
    "preview.mute": ("Mute", "静音"),
    # Scouting beside Generate
    "scout.button": ("Scout {count} seeds", "试拍 {count} 个种子"),
    "scout.more": ("How many scouts, and how far", "试拍数量与进度"),
    "scout.count": ("Seeds", "种子数"),
    "scout.share": ("Share of the steps, %", "步数占比（%）"),
    "scout.hint": (
        "Runs the first steps of several seeds and shows each with its sound. Finish the ones you keep; nothing is "
        "computed twice.",
        "先跑多个种子的前几步，并连同声音预览。保留满意的再完成，已算的部分不会重算。",
    ),
    "scout.cost": ("Scouting {count} × {step} of {steps} steps: {time}", "试拍 {count} × {step}/{steps} 步：{time}"),
    "scout.cost.about": ("about {time}", "约 {time}"),
    "scout.cost.none": ("time not known yet", "用时未知"),
    "scout.count.wrong": (
        "{value} seeds cannot be scouted; give a whole number from {least} to {most}.",
        "无法试拍 {value} 个种子；请填写 {least} 至 {most} 的整数。",
    ),
    "scout.share.wrong": (
        "A share of {value} % cannot be scouted; give {least} to {most} %.",
        "步数占比不能为 {value}%；请填写 {least} 至 {most}%。",
    ),
    # Compare settings
    "grid.seed": ("Seed", "种子"),
    "grid.title": ("Compare settings", "对比设置"),
    "grid.hint": (
        "One take for every value, or for every pair of two settings. Values by commas or lines; prompts one a line.",
        "每个取值一个成片，两个设置则两两组合。取值以逗号或换行分隔，提示词每行一个。",
    ),
    "grid.first": ("Setting", "设置"),
    "grid.second": ("Second setting", "第二个设置"),
    "grid.none": ("none", "无"),
    "grid.values": ("Values", "取值"),
    "grid.share": ("Share of the steps, %; 100 finishes all", "步数占比（%）；100 表示全部完成"),
    "grid.go": ("Compare", "开始对比"),
    "grid.empty": ("No values for {name}; give two or more.", "“{name}”没有取值，请至少填写两个。"),
    "grid.number": (
        "{value} is not a number, and {name} is one; mend it.",
        "{value} 不是数字，而“{name}”须为数字，请修改。",
    ),
    # The Scouts view
    "tab.scouts": ("Scouts", "试拍"),
    "scouts.list": ("Grids", "试拍列表"),
    "scouts.empty.title": ("Scouts land here", "试拍会出现在这里"),
    "scouts.empty.text": (
        "A scout runs the first steps of several seeds, so that you can look and listen before a long run. Write a "
        "prompt under Create and press “Scout 8 seeds”.",
        "试拍只跑多个种子的前几步，让您在长时间生成之前先看先听。在“创作”中写好提示词，点击“试拍 8 个种子”。",
    ),
    "scouts.empty.button": ("Go to Create", "前往创作"),
    "scouts.seeds": ("{count} seeds", "{count} 个种子"),
    "scouts.how": ("{count} of {all} there", "已完成 {count}/{all}"),
    "scouts.title.seeds": (
        "scouting {count} seeds · {step} of {steps} steps",
        "试拍 {count} 个种子 · {step}/{steps} 步",
    ),
    "scouts.title.grid": ("comparing {settings} · {share} % of the steps", "对比{settings} · 前 {share}% 步"),
    "scouts.and": (" and ", "与"),
    "scouts.keep": ("Keep", "保留"),
    "scouts.kept": ("kept", "已保留"),
    "scouts.drop": ("Drop", "丢弃"),
    "scouts.dropped": ("dropped", "已丢弃"),
    "scouts.undo": ("Undo", "撤销"),
    "scouts.large": ("Large, with sound", "放大（有声）"),
    "scouts.close": ("Close", "关闭"),
    "scouts.stopped": ("stopped at {step}/{steps}", "停在 {step}/{steps}"),
    "scouts.video": ("Scout {label}", "试拍 {label}"),
    "scouts.finish": ("Finish kept ({count})", "完成所保留的（{count}）"),
    "scouts.finish.time": ("Finish kept ({count}) · about {time}", "完成所保留的（{count}）· 约 {time}"),
    "scouts.finish.none": ("Keep one to finish it", "先保留一个再完成"),
    "scouts.keys": (
        "Keys: arrows move, Space plays, K keeps, D drops, Enter shows large.",
        "按键：方向键移动，空格播放，K 保留，D 丢弃，回车放大。",
    ),
}
