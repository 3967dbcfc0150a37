"""Every sentence of Compare, in English and in Chinese."""

from __future__ import annotations

COMPARE_TEXTS: dict[str, tuple[str, str]] = {
    "compare.title": ("Compare", "对比"),
    "compare.blind.title": ("Blind comparison, pair {number} of {total}", "盲测，第 {number} / {total} 组"),
    "compare.side": ("{side} · seed {seed}", "{side} · 种子 {seed}"),
    "compare.side.blind": ("{side}", "{side}"),
    "compare.video": ("Take {side}", "成片 {side}"),
    "compare.play": ("Play / pause", "播放 / 暂停"),
    "compare.sound": ("Sound: other side", "切换声音"),
    "compare.sound.on": ("sound", "有声"),
    "compare.wipe": ("Wipe", "擦拭对比"),
    "compare.wipe.place": ("Where the two takes meet, in percent of the width", "分界位置（宽度百分比）"),
    "compare.swap": ("Swap", "左右互换"),
    "compare.back": ("One frame back", "后退一帧"),
    "compare.on": ("One frame on", "前进一帧"),
    "compare.loop": ("Loop", "循环"),
    "compare.place": ("Place in both takes", "两个成片的播放位置"),
    "compare.blind": ("Compare blind", "盲测"),
    "compare.open": ("Leave blind mode", "退出盲测"),
    "compare.left": ("Left is better", "左边更好"),
    "compare.right": ("Right is better", "右边更好"),
    "compare.tie": ("Tie", "不相上下"),
    "compare.blind.text": (
        "Seeds, settings and names are hidden and the sides are drawn by lot. They are shown when you stop, so that "
        "one answer does not lean on another.",
        "种子、设置和文件名均已隐藏，左右随机。停止后才会揭晓，以免前后判断互相影响。",
    ),
    "compare.reveal": ("Stop and reveal", "停止并揭晓"),
    "compare.votes": ("Votes in this round: {count}", "本轮 {count} 票"),
    "compare.done": ("Every pair of this prompt has been judged once.", "该提示词的所有组合都已评判一次。"),
    "compare.revealed": ("This round", "本轮结果"),
    "compare.revealed.won": ("{winner} was better than {loser}", "{winner} 优于 {loser}"),
    "compare.revealed.tie": ("{winner} and {loser} were alike", "{winner} 与 {loser} 不相上下"),
    "compare.differs": ("What differs", "不同之处"),
    "compare.same": ("Only the seed differs.", "仅种子不同。"),
    "compare.ratings": ("Ratings by blind votes", "盲测评分"),
    "compare.ratings.none": (
        "No blind vote between two settings yet. Compare takes blind whose settings differ: each answer rates those "
        "settings. Where only the seed differs, nothing is rated.",
        "还没有针对设置的盲测投票。请盲测设置不同的成片：每次选择都会为这些设置评分。若仅种子不同，则不计分。",
    ),
    "compare.ratings.few": (
        "Rests on {votes} votes; under about 20 it means little.",
        "基于 {votes} 票；少于约 20 票时参考意义不大。",
    ),
    "compare.ratings.enough": ("Rests on {votes} votes.", "基于 {votes} 票。"),
    "compare.ratings.vote": (
        "Rests on 1 vote; under about 20 it means little.",
        "基于 1 票；少于约 20 票时参考意义不大。",
    ),
    "compare.ratings.value": ("value", "取值"),
    "compare.ratings.rating": ("Elo (95 %)", "Elo 评分（95 %）"),
    "compare.ratings.votes": ("votes", "票数"),
    "compare.keys": (
        "Space plays, X other sound, W wipe, S swap, L loop, comma and period one frame, B blind, Esc closes",
        "空格播放，X 切换声音，W 擦拭，S 互换，L 循环，逗号和句号键逐帧，B 盲测，Esc 关闭",
    ),
    "compare.keys.blind": (
        "1 left, 2 right, 0 tie, Space plays, X other sound, W wipe, S swap, comma and period one frame, Esc closes",
        "1 左，2 右，0 平局，空格播放，X 切换声音，W 擦拭，S 互换，逗号和句号键逐帧，Esc 关闭",
    ),
    "compare.gone": (
        "Two takes with their files are needed; one of these is gone. Mark two others.",
        "需要两个文件完整的成片，其中一个已不存在。请另选两个。",
    ),
}
