"""Which words name sounds, and which sentences are on sound only."""

from __future__ import annotations

import re

from mova_studio.prompting import lexicon
from mova_studio.prompting.motion import camera_moves_in

LISTED_WORDS = 5
_NAMES = (
    "slaps?|slapping|hums|buzzes|crackles|rustles|rumbles|gasps?|panting|flutter|fluttering|rattle|rattling|clank|strumming|sound|sounds|noise|noises|audio|hum|humming|buzz|buzzing|rustle|rustling|crackle|crackling|click|clicks|clicking|tick|ticking"
    "|echo|echoes|reverb|reverberation|voice|voices|music|melody|soundtrack|silence|murmur|murmurs|murmuring|chatter|whispers|whispering|roar|roaring"
    "|rumble|rumbling|thunder|thud|thuds|knock|knocks|knocking|clink|clinking|clang|clatter|creak|creaking|squeak|squeal|screech"
    "|screeching|hiss|hissing|whoosh|splash|splashes|splashing|dripping|drip|footsteps|footfalls|breathing|breath|breaths|sigh|sighs"
    "|laughter|applause|cheers|cheering|birdsong|chirp|chirps|chirping|barking|meowing|meow|purr|purring|growl|growling|howl|howling|siren|sirens"
    "|chime|chimes|ambience|ambiance|ambient|tone|tones|chord|chords|beat|beats|rhythm|pitch|acoustics|narration|microphone"
    "|thunderclap|gunshot|gunshots|explosion|explosions|bang|crunch|crunching|sizzle|sizzling|bubbling|gurgle|gurgling|trickle"
    "|patter|pattering|hoofbeats|foghorn|crash|honk|honking|honks|whistle|whistling|ringing|beep|beeping|beeps|scrape|clap|clapping|drone|singing"
    "|score|songs?|tune|vocals?|speech|dialogue|resonance|swish|snoring|sobbing|crying|scream|screams|snap|snaps|pop|pops|crack|cracks|hubbub|din"
)
_SOURCES = (
    "rain|wind|waves?|surf|engine|engines|traffic|frogs?|gulls?|seagulls?|crickets|cicadas|birds?|piano|guitar|violin|cello|flute|drums?|bass"
    "|strings|orchestra|band|bell|bells|stream|fire|storm|crowd|horn|alarm|phone|clock|radio|trumpet|saxophone|synth|synths"
    "|quiet|loud|loudly|hush|hushed|silent|soft|softly|audible|heard|faint|faintly|muffled|deep|low|dry|close|distant|distance|notes?|rings?|train|motor|fan|heater|leaves|keys|keyboard"
)
_STRONG = re.compile(rf"\b(?:{_NAMES})\b", re.IGNORECASE)
_WEAK = re.compile(rf"\b(?:{_SOURCES})\b", re.IGNORECASE)
_STRONG_ZH = re.compile(
    r"(?<![一几两三四数连])声(?![称明誉势])|音乐|旋律|噪音|杂音|回响|余音|嗡鸣|轰鸣|鸣响|鸣叫|配乐|背景音|环境音|音效|话音|闷响|声响|音量|音调|叮咚|咔哒|沙沙|滴答|哗哗|轰隆|呼啸"
)
_WEAK_ZH = re.compile(
    r"雨|风|海浪|浪|引擎|发动机|车流|蛙|鸟|海鸥|蝉|蟋蟀|钢琴|吉他|小提琴|大提琴|鼓|钟|铃|话筒|安静|寂静|喧闹|低沉|轻柔|响亮|清脆|遥远|远处|近处|细流|溪|雷"
)
_PLURAL_OR_VERB = re.compile(r"(?:s|ed|ing)$")
_FUNCTION = lexicon.word_set(
    "of from in on at as and or but with under over around behind beneath throughout across through near above",
    "between along to by is are was were can could grow grow fade comes come only that which while until for",
    "against off out up down inside outside follow",
)
_PERSON = "|".join(sorted(lexicon.PERSONS - {"voice"}, key=len, reverse=True))
_AGENT = re.compile(
    rf"^(?:then|and|now|suddenly|slowly|as|while|,|\s)*(?:(?:he|she|they|i|we|you)\b|(?:(?:the|a|an|two|three|one|his|her|their|some|another|each|every)\s+)?"
    rf"(?:[\w-]+\s+){{0,3}}?(?:{_PERSON})\b(?!['’]))",
    re.IGNORECASE,
)
_AGENT_ZH = re.compile(
    r"^(?:然后|接着|突然|一只|一双|一[个位名]|两[个位名]|那[个位]?|这[个位]?)*[^，。的]{0,6}?(?:手|"
    + "|".join(lexicon.PERSONS_ZH)
    + r")(?!的)(?![^，。；]{0,8}声$)"
)
_NEGATED = re.compile(
    r"(?:\b(?:no|without|not|never|neither|nor|any)\s+(?:\w+\s+){0,2}|没有[^，。；]{0,4}|[无不])$", re.IGNORECASE
)
_SOUNDING_VERB = re.compile(
    r"\s*(?:(?:the|a|an|its|his|her|their|two|both|every|each|distant|soft|heavy)\s+){0,2}(?:[\w'’-]+\s+){1,2}"
    r"(?:clang|clank|clatter|sizzle|rip|creak|squeak|squeal|rattle|rustle|crackle|click|tick|hiss|hum|buzz|roar|rumble"
    r"|thump|thud|slam|snap|crunch|splash|drip|patter|whir|whine|whistle|ring|chime|beep|honk|howl|chirp|caw|bark|echo)s?\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\s*(?:no\b|without\b|没有?|无)", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:—，；：、]|\band\b|\bwith\b")
_HEARD = (
    "rain|wind|thunder|surf|traffic|footsteps|laughter|applause|music|birdsong|crickets|cicadas|silence|chatter|sirens"
    "|breathing|hum|humming|rumble|rumbling|crackling|ticking|barking|howling|singing|whistling|cheering|dripping|splashing"
)
_HEARD_EN = re.compile(rf"\b(?:{_HEARD})\b", re.IGNORECASE)
_HEARD_ZH = re.compile(r"[风雨雷水笑哭歌琴鼓钟铃掌枪炮鸟蛙蝉车浪人脚步喊叫]{1,2}声|音乐|旋律|噪音|回响|轰鸣")


def has_sound(narration: str) -> bool:
    """Whether a sound, or something that sounds, is named at all."""
    return any(pattern.search(narration) for pattern in (_STRONG, _STRONG_ZH, _WEAK, _WEAK_ZH))


def begins_with_agent(narration: str) -> bool:
    """Whether the sentence tells what somebody does."""
    if _DENIAL.match(narration):
        return False
    return bool(_AGENT.match(narration) or _AGENT_ZH.match(narration))


def on_sound_only(narration: str) -> bool:
    """Whether a sentence without quotes is on sound and shows nothing: "Footsteps on gravel, no music."."""
    text = narration.strip()
    if not text or camera_moves_in(text) or begins_with_agent(text):
        return False
    if _sounding_head(text):
        return True
    clauses = [clause for clause in _CLAUSE.split(text) if clause and clause.strip()]
    if not any(_named(clause) for clause in clauses) or any(begins_with_agent(clause) for clause in clauses):
        return False
    heard = [has_sound(clause) or bool(_DENIAL.match(clause)) for clause in clauses]
    return heard[0] and sum(heard) * 2 > len(heard)


def is_heard(narration: str) -> bool:
    """Whether a sentence may stand in a paragraph on sound: also "The ladle clangs on steel, pans sizzle."."""
    text = narration.strip()
    if on_sound_only(text):
        return True
    if camera_moves_in(text) or begins_with_agent(text):
        return False
    clauses = [clause for clause in _CLAUSE.split(text) if clause and clause.strip()]
    heard = [has_sound(clause) or bool(_SOUNDING_VERB.match(clause) or _DENIAL.match(clause)) for clause in clauses]
    return len(clauses) > 1 and heard[0] and sum(heard) * 2 > len(heard)


def is_list(narration: str) -> bool:
    """Whether it may be read as a bare list of what is heard: "Birds, soft wind, gravel under their shoes."."""
    clauses = [clause for clause in _CLAUSE.split(narration) if clause.strip()]
    return is_heard(narration) and all(len(clause.split()) <= LISTED_WORDS for clause in clauses)


def tells_of_sounding(narration: str) -> bool:
    """Whether a sentence says that something sounds: "The wheel whirs." It may as well be an event."""
    return bool(_SOUNDING_VERB.match(narration)) and not begins_with_agent(narration)


def _named(text: str) -> bool:
    return bool(_STRONG.search(text) or _STRONG_ZH.search(text))


def _sounding_head(text: str) -> bool:
    words = re.findall(r"[A-Za-z][\w'’-]*|[,;:.!?—\"]", text)
    for index, word in enumerate(words[:7]):
        if word in ',;:.!?—"' or (index and word.lower() in _FUNCTION):
            return False
        if word.lower().endswith(("'s", "’s")):
            continue
        if _STRONG.fullmatch(word):
            following = words[index + 1] if index + 1 < len(words) else "."
            plural = word.lower().endswith("s") and not word.lower().endswith("ss")
            if plural or not following[0].isalpha() or following.lower() in _FUNCTION:
                return True
            if _STRONG.fullmatch(following):
                continue
            return bool(_PLURAL_OR_VERB.search(following)) or following.lower().endswith("ly")
        if (
            index
            and _PLURAL_OR_VERB.search(word)
            and not _STRONG.fullmatch(word)
            and not word.lower().endswith(("ing", "ed", "ss"))
        ):
            return False
    clause = re.split(r"[，。；：,;:]", text)[0]
    return bool(
        re.match(r"^[^，。；：]{0,10}?(?:声音?|音乐|旋律|噪音|回响|轰鸣|嗡鸣|配乐|音效|背景音|环境音)", clause)
    ) and bool(_STRONG_ZH.search(clause))


def sounds_named(narration: str) -> tuple[str, ...]:
    """Sounds that the words name outright, each once, in order; what is denied ("no music") is left out."""
    found: dict[str, str] = {}
    for pattern in (_HEARD_EN, _HEARD_ZH):
        for match in pattern.finditer(narration):
            if not _NEGATED.search(narration[: match.start()]):
                found.setdefault(match[0].lower(), match[0].lower())
    return tuple(found)
