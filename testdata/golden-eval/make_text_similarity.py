"""BLEU and chrF of texts, and their words, by sacrebleu: text_similarity.json beside this file.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install sacrebleu==2.6.0
    /tmp/venv/bin/python make_text_similarity.py > text_similarity.json
"""
import json
import logging
import random

import sacrebleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

logging.disable(logging.CRITICAL)

PAIRS = {
    "equal": (["the cat sat on the mat ."], ["the cat sat on the mat ."]),
    "one word differs": (["the cat sat on the hat today"], ["the cat sat on the mat today"]),
    "a word too often": (["the the the the the the the"], ["the cat is on the mat now"]),
    "shorter": (["the cat sat on"], ["the cat sat on the mat and slept"]),
    "longer": (["the cat sat on the mat and slept and slept"], ["the cat sat on the mat"]),
    "no run of four": (["a b c", "d e f"], ["a b c", "d e f"]),
    "one run of four, none in common": (["a b c d"], ["a b x d"]),
    "nothing in common": (["one two three four five"], ["six seven eight nine ten"]),
    "nothing made": (["", ""], ["the cat sat on the mat", "and slept"]),
    "one of two made": (["", "and slept on the mat"], ["the cat sat on the mat", "and slept on a mat"]),
    "a reference without characters": (["the cat sat on the mat", "and slept"], ["the cat sat on a mat", " \n"]),
    "two texts": (
        ["It was the best of times, it was the worst.", "Call me Ishmael, some years ago"],
        ["It was the best of times, it was the worst of times.", "Call me Ishmael. Some years ago"],
    ),
    "numbers and signs": (
        ["It cost $1,000.50 (or 3-4 %), said O'Neill: \"a U.S. price\"."],
        ["It cost $1,000.50 (or 3-5 %), said O'Neill; \"the U.S. price\"..."],
    ),
    "entities and broken lines": (
        ["AT&amp;T &lt;b&gt; &quot;well-\nknown&quot; <skipped> &amp;lt;\nnext line  "],
        ["AT&T <b> \"wellknown\" &lt;\nnext  line"],
    ),
    "quotation marks": (["“Yes” – he said … no."], ["“Yes” — she said … ‘no’."]),
    "Chinese": (
        ["話說天下大勢，分久必合，合久必分。", "周末七國分爭，并入於秦"],
        ["話說天下大勢，分久必合，合久亦分。", "周末七国纷争，并入于秦。"],
    ),
    "Chinese and English": (
        ["我在 MiniMind-V2 上训练了 25,829,888 个参数 (约 26M)。", "“好”……  GPU is fast."],
        ["我在 MiniMind-V2 里训练了 25,829,888 个参数（约 26M）。", "“好的”……  GPU was fast ."],
    ),
    "characters beyond 16 bits": (["the white whale 🐋🐳 and 𠀀𠀁"], ["the white whale 🐳🐋 and 𠀀𠀂"]),
}
ALPHABET = list("aab1,.-;:'\"&<>()/[]{}_~@ \n\t") + ["天", "下", "。", "，", "“", "…", "\u00a0", "\u3000", "\x1c", "é", "🐋", "-\n", "&amp;"]


def drawn(generator):
    return "".join(generator.choice(ALPHABET) for _ in range(generator.randrange(0, 30)))


def varied(generator, text):
    """The text with a few characters changed, so that long runs are left in common."""
    return "".join(generator.choice(ALPHABET) if generator.random() < 0.1 else each for each in text)


def scores(name, made, reference):
    return {
        "name": name,
        "made": made,
        "reference": reference,
        "bleu_13a": sacrebleu.corpus_bleu(made, [reference], tokenize="13a").score,
        "bleu_zh": sacrebleu.corpus_bleu(made, [reference], tokenize="zh").score,
        "chrf2": sacrebleu.corpus_chrf(made, [reference]).score,
    }


def words(text):
    return {"text": text, "13a": Tokenizer13a()(text.rstrip()).split(), "zh": TokenizerZh()(text.rstrip()).split()}


def main():
    generator = random.Random(8)
    pairs = [(name, made, reference) for name, (made, reference) in PAIRS.items()]
    for index in range(20):
        reference = [drawn(generator) for _ in range(4)]
        pairs.append((f"drawn {index}", [varied(generator, text) for text in reference], reference))
    texts = sorted({text for _, made, reference in pairs for text in made + reference} | {".5 and 5.", ".", "-", "1-2", "a.b,c"})
    print("{")
    print(f' "made_by": "sacrebleu {sacrebleu.__version__}",')
    print(listed("pairs", [scores(*pair) for pair in pairs]), end=",\n")
    print(listed("words", [words(text) for text in texts]))
    print("}")


def listed(name, items):
    return f' "{name}": [\n' + ",\n".join("  " + json.dumps(item) for item in items) + "\n ]"


main()
