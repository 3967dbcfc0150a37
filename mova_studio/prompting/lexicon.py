"""Words by which persons, speech and written text are known, in English and Chinese."""

from __future__ import annotations

import re


def word_set(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


SAY = (
    r"(?:says?|said|saying|asks?|asked|asking|whispers?|whispered|whispering|shouts?|shouted|shouting|yells?|yelled"
    r"|repl(?:y|ies|ied|ying)|answers?|answered|answering|adds?|added|mutters?|muttered|murmurs?|murmured|cr(?:y|ies|ied)"
    r"|calls?(?:\s+out)?|called(?:\s+out)?|screams?|screamed|announces?|announced|continues?|continued|responds?|responded"
    r"|begs?|begged|laughs?|laughed|sings?|sang|singing|speaks?|spoke|speaking|tells?(?:\s+\w+)?|told(?:\s+\w+)?"
    r"|exclaims?|exclaimed|declares?|declared|snaps?|snapped|growls?|growled|groans?|hisses|sighs?|sighed|jokes?"
    r"|mumbles?|mumbled|explains?|explained|insists?|insisted|reads?(?:\s+aloud|\s+out)?|recites?|chants?|swears?|barks?)"
)
SAY_ZH = (
    r"(?:说道|问道|答道|喊道|叫道|笑道|回答道|回答|低声说|轻声说|大声说|小声说|说|问|答|喊|叫|吼|嘟囔|嘀咕|低语|唱道|唱|念道|念"
    r"|宣布|补充|反问|骂道|骂|哭道|讲|道|吩咐|劝|开口|接着说|继续)"
)
MALE = word_set(
    "he man boy guy gentleman father dad son brother king prince husband uncle grandfather grandpa actor waiter",
    "policeman fisherman businessman groom monk",
)
FEMALE = word_set(
    "she woman girl lady mother mom mum daughter sister queen princess wife aunt grandmother grandma actress",
    "waitress policewoman bride nun",
)
PERSONS = (
    MALE
    | FEMALE
    | word_set(
        "they person people child kid baby teenager student teacher doctor nurse driver pilot captain officer soldier",
        "singer host anchor reporter presenter narrator speaker chef cook barista clerk cashier customer passenger",
        "friend stranger worker engineer farmer sailor robot android judge lawyer witness detective cop guard priest",
        "coach player athlete scientist professor boss manager musician drummer guitarist cellist violinist pianist",
        "conductor dancer magician clown vendor shopkeeper hand hands crowd audience men women boys girls children",
        "voice announcer dj astronaut wizard witch knight dragon alien monster ghost puppet commentator interviewer",
        "actor bartender librarian mechanic hunter tourist hiker boxer cat dog parrot",
    )
)
SIGNS = word_set(
    "sign screen label banner poster caption subtitle subtitles neon placard shirt t-shirt title headline note",
    "billboard plaque card text display tattoo sticker graffiti letters words book page menu ticket logo",
)
MALE_ZH = (
    "男人",
    "男子",
    "男孩",
    "男生",
    "父亲",
    "爸爸",
    "儿子",
    "爷爷",
    "叔叔",
    "哥哥",
    "弟弟",
    "丈夫",
    "先生",
    "老头",
    "小伙子",
    "少年",
    "他",
)
FEMALE_ZH = (
    "女人",
    "女子",
    "女孩",
    "女生",
    "母亲",
    "妈妈",
    "女儿",
    "奶奶",
    "阿姨",
    "姐姐",
    "妹妹",
    "妻子",
    "女士",
    "妇人",
    "姑娘",
    "少女",
    "她",
)
PERSONS_ZH = (
    *MALE_ZH,
    *FEMALE_ZH,
    *(
        "老人",
        "孩子",
        "小孩",
        "老师",
        "学生",
        "医生",
        "护士",
        "司机",
        "船长",
        "警察",
        "士兵",
        "歌手",
        "主持人",
        "记者",
        "主播",
        "旁白",
    ),
    *(
        "厨师",
        "店员",
        "老板",
        "顾客",
        "乘客",
        "朋友",
        "陌生人",
        "工人",
        "农民",
        "机器人",
        "法官",
        "侦探",
        "教练",
        "宇航员",
        "道士",
        "和尚",
    ),
    *("将军", "皇帝", "公主", "王子", "演员", "导演", "同事", "邻居", "服务员", "播音员", "解说员", "小猫", "小狗"),
)
TEXT_CUE = re.compile(
    r"(?:\b(?:reads?|reading|written|writing|labell?ed|titled|entitled|called|named|spell(?:s|ing)|words?|text|sign"
    r"|letters|caption(?:ed)?|logo|marked|printed|inscribed|saying on it|type|types)\s*[,:]?\s*"
    r"|(?:写着|写有|标着|印着|刻着|题为|名为|叫做|称为|字样|文字|标题|字幕)[是为]?[:：，]?\s*)$",
    re.IGNORECASE,
)
TEXT_CUE_AFTER = re.compile(r"\s*(?:字样|几个字|的(?:招牌|牌子|字|标语|横幅))")
TAG = re.compile(r"[\[(（【<]?\b(?:S(\d{1,2})|[Ss]peaker\s?(\d{1,2}))\b[\])）】>]?(?=\s|[:：,，\"“「『(\[]|$|[^\w])")
