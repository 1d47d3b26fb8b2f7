"""Varied strings for comparing tokenizers: deterministic for a seed, independent of the Unicode version of Python.

Each is (repeat, text): the string is text repeated so many times, which keeps very long ones small on disk.
"""
import random

WORDS = """a the of and in on with at by dog barking cat rain wind thunder ocean waves piano violin guitar drums melody
techno jazz orchestra choir crowd cheering clapping footsteps gravel engine revving motorcycle train whistle siren
church bells ringing birds chirping forest stream glass breaking door creaking keyboard typing typewriter baby crying
man speaking woman singing slow fast loud quiet distant heavy metallic hollow reverberant studio quality lo-fi upbeat
cinematic ambient soundscape underwater spaceship laser explosion fireworks vacuum cleaner kettle boiling coffee
machine sizzling popping frying applause laughter whisper echo 8-bit synth bass 120 bpm 44.1 kHz Vivaldi's isn't don't
I'm we'll they've you'd she's Internationalization antidisestablishmentarianism pneumonoultramicroscopic""".split()

SENTENCES = [
    "Der Hund bellt laut, während es draußen in Strömen regnet.", "Le chat miaule très doucement près de la fenêtre.",
    "El perro ladra y el niño ríe: ¡qué alegría!", "Cânii latră și vântul șuieră prin țară.",
    "Собака лает, а дождь стучит по крыше.", "Ο σκύλος γαβγίζει στη βροχή.", "כלב נובח בגשם, והרוח שורקת",
    "كلب ينبح تحت المطر والريح تصفر ٣٤٥", "बारिश में कुत्ता भौंक रहा है।", "বৃষ্টির মধ্যে কুকুর ঘেউ ঘেউ করছে",
    "மழையில் நாய் குரைக்கிறது", "ฝนตกหนักและสุนัขเห่า", "雨の中で犬が吠えている。カタカナﾊﾝｶｸ", "小狗在雨中叫，雷声隆隆。",
    "개가 빗속에서 짖고 있다", "Tiếng chó sủa dưới cơn mưa rào", "ძაღლი ყეფს წვიმაში", "შუნი Շունը հաչում է անձրևի տակ",
    "ውሻው በዝናብ ውስጥ ይጮኻል", "བྱི་ལ་སྐད་རྒྱག", "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ", "ខ្មែរ ភាសា", "မြန်မာဘာသာ", "ಕನ್ನಡ ನಾಯಿ ಬೊಗಳುತ್ತಿದೆ",
]

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<extra_id_0>", "<extra_id_7>", "<extra_id_99>"]
NEARLY_SPECIAL = ["<extra_id_100>", "<extra_id_>", "<mask", "mask>", "< s>", "<S>", "</S>", "<<s>>", "<s></s>", "<pa<pad>d>",
                  "＜s＞", "<extra_id_01>", "<|endoftext|>", "<mask><mask>", "<ma\u0301sk>", "<s\u200d>", "<pad>\u0301"]

WHITESPACE = ["\t", "\n", "\v", "\f", "\r", " ", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u180e", "\u2000",
              "\u2003", "\u2007", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff", "\r\n"]

EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇺🇸🇫", "1️⃣", "#️⃣", "❤️", "❤", "👨🏿‍🚀", "🧑‍🤝‍🧑", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☎︎", "☎️", "🫠", "🪿", "🫪", "©\u200d®",
         "©️", "™", "👁‍🗨", "🤷🏻‍♀️"]

COMPATIBLE = "ﬁﬂﬀﬃﬅ½¼⅓²³ªº①⑳㈠㍿㌀㎏℃Ω K Å™℡Ⅷⅻａｂ！？～｡｢ﾊﾞﾊﾟヷ︙…‥ǆǅﷺﷻ豈更車﹖㎡Ĳŉſ ̈́΅ΰ๋ำຳཷ\u0f77\u0340\u0341\u0343\u0344\u0374\u037e\u0387\u1fee\u2126"

CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'LL", "'l", "'r", "'v", "''s", "’s", "'", "''", "'\u0301s", "'éd"]

# First and one past the last code point of what is worth visiting often.
RANGES = [
    (0x00, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0x180), (0x180, 0x2B0), (0x2B0, 0x370), (0x370, 0x530), (0x530, 0x700),
    (0x700, 0x8A0), (0x8A0, 0x980), (0x980, 0xD80), (0xD80, 0x10A0), (0x10A0, 0x1200), (0x1200, 0x1800), (0x1800, 0x1C90),
    (0x1C90, 0x2000), (0x2000, 0x2070), (0x2070, 0x2190), (0x2190, 0x2C00), (0x2C00, 0x3000), (0x3000, 0x3400),
    (0x3400, 0x4E00), (0x4E00, 0xA000), (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xD7A4, 0xD800), (0xE000, 0xF900),
    (0xF900, 0xFE00), (0xFE00, 0xFE70), (0xFE70, 0xFFF0), (0xFFF0, 0x10000), (0x10000, 0x10800), (0x10800, 0x11000),
    (0x11000, 0x12000), (0x12000, 0x14700), (0x16000, 0x17000), (0x17000, 0x1B300), (0x1BC00, 0x1D400), (0x1D400, 0x1D800),
    (0x1D800, 0x1E000), (0x1E000, 0x1F000), (0x1F000, 0x1FC00), (0x20000, 0x32000), (0xE0000, 0xE0200), (0xF0000, 0x110000),
]
MARKS = [(0x300, 0x370), (0x483, 0x48A), (0x591, 0x5BE), (0x610, 0x61B), (0x64B, 0x660), (0x6D6, 0x6DD), (0x711, 0x712),
         (0x7A6, 0x7B1), (0x816, 0x81A), (0x897, 0x8A0), (0x93A, 0x950), (0x1AB0, 0x1AF0), (0x1DC0, 0x1E00), (0x20D0, 0x20F1),
         (0x302A, 0x3030), (0x3099, 0x309B), (0xFE00, 0xFE10), (0xFE20, 0xFE30), (0x200C, 0x200E), (0xE0100, 0xE0110)]
PREPENDED = [0x600, 0x601, 0x605, 0x6DD, 0x70F, 0x890, 0x8E2, 0xD4E, 0x110BD, 0x111C2, 0x1193F, 0x11A3A, 0x11D46]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def many(self, make, low, high, separator=""):
        return separator.join(make() for _ in range(self.random.randint(low, high)))

    def scalar(self, ranges=RANGES):
        return chr(self.random.randrange(*self.random.choice(ranges)))

    def any_scalar(self):
        value = self.random.randrange(0x110000 - 0x800)
        return chr(value if value < 0xD800 else value + 0x800)

    def one(self, options):
        return self.random.choice(options)

    def prose(self):
        text = self.many(lambda: self.one(WORDS), 1, 14, " ")
        return self.one([text, text.capitalize() + self.one(".!?…"), text.upper(), text.replace(" ", self.one([", ", "  ", "-", "_"]))])

    def block(self):
        ranges = [self.one(RANGES)]
        return self.many(lambda: self.scalar(ranges) if self.random.random() < 0.8 else " ", 1, 24)

    def marked(self):
        def cluster():
            base = self.one([self.scalar, lambda: self.one("aeiouAEIOU xnﬁ\xa0½가각가कक्षαи"), lambda: ""])()
            lead = chr(self.one(PREPENDED)) if self.random.random() < 0.2 else ""
            return lead + base + self.many(lambda: self.scalar(MARKS), 0, 3)
        return self.many(cluster, 1, 10)

    def mojibake(self):
        data = bytes(self.random.randrange(256) for _ in range(self.random.randint(1, 40)))
        return self.one([data.decode("utf-8", "replace"), data.decode("latin-1"),
                         self.one(SENTENCES).encode().decode("latin-1"), data.hex(" ")])

    def code(self):
        return self.many(lambda: self.one(["https://example.org/a?b=%20", "f(x) -> x**2;", "[::]", "{}", "0x1F", "1,234.56", "3.14e-10", "#tag",
                                           "@user", "C:\\dir", "a=b&c", "$$$", "--flag", "/* */", "£5", "50%", "12:30", "²", "½", "٣", "Ⅷ"]), 1, 8, self.one(["", " "]))

    def special(self):
        return self.many(lambda: self.one([self.one(SPECIALS), self.one(SPECIALS), self.one(NEARLY_SPECIAL), self.one(WHITESPACE),
                                           "  ", self.one(WORDS), self.one("▁ĠĊ'é")]), 1, 12)

    def spaces(self):
        return self.many(lambda: self.one(WHITESPACE) * self.random.randint(1, 4) if self.random.random() < 0.6
                         else self.one([self.one(WORDS), self.scalar(), "▁", "'s"]), 1, 14)

    def contraction(self):
        return self.many(lambda: self.one([self.one(WORDS), self.scalar(), " ", ""]) + self.one(CONTRACTIONS), 1, 8)

    def compatible(self):
        return self.many(lambda: self.one(COMPATIBLE) + self.one(["", "", " ", "a", self.scalar(MARKS)]), 1, 16)

    def alphabet(self):
        return self.many(lambda: self.one([chr(self.random.randrange(0x100, 0x144)), "Ġthe", "▁the", "▁", "Ġ", " ", self.one(WORDS)]), 1, 10)

    def mixed(self):
        makers = [self.prose, self.block, self.marked, self.code, self.special, self.spaces, self.contraction, self.compatible,
                  lambda: self.one(EMOJI), lambda: self.one(SENTENCES), self.mojibake, self.any_scalar]
        return self.many(lambda: self.one(makers)(), 2, 4, self.one(["", " "]))

    def string(self):
        makers = [self.prose, self.block, self.block, self.marked, self.marked, self.mojibake, self.code, self.special, self.spaces,
                  self.contraction, self.compatible, self.alphabet, self.mixed,
                  lambda: self.many(self.any_scalar, 1, 12),
                  lambda: self.many(lambda: self.one(EMOJI + [" ", "a"]), 1, 8),
                  lambda: self.one(SENTENCES)]
        return self.one(makers)()


def strings(count, seed=1):
    """`count` distinct pairs (repeat, text)."""
    maker = Maker(seed)
    fixed = [(1, "")] + [(1, text) for text in WHITESPACE + SPECIALS + NEARLY_SPECIAL + EMOJI + CONTRACTIONS + SENTENCES + ["\0", "a\0b", "▁", "▁▁a"]]
    long = [(100_000, "a"), (100_000, " "), (20_000, "dog "), (10_000, "the dog's bark, "), (5_000, "👩‍👩‍👧‍👦"), (30_000, "漢"), (50_000, "\u0301"),
            (3_000, "<mask> "), (3_000, " <extra_id_1> "), (30_000, "▁"), (20_000, "ab1 "), (10_000, "\r\n"), (1, "x" + "\u0300" * 2000)]
    found = list(dict.fromkeys(fixed + long))
    seen = set(found)
    while len(found) < count:
        pair = (maker.one([2, 3, 17, 200]) if maker.random.random() < 0.02 else 1, maker.string())
        if pair not in seen:
            seen.add(pair)
            found.append(pair)
    return found[:count]
