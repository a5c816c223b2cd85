"""What Hugging Face `tokenizers` learns, for train-tokenizer.test.ts. Deterministic.

    pip install tokenizers==0.23.3
    python make_trained_golden.py NAME=TEXTFILE… > train-tokenizer.golden.json

NAME is how the test finds the text again: `moby-dick`, or a file of a golden set (`corpora/tinyshakespeare.txt`).
"""
import hashlib, json, struct, sys
import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SIZES = [512, 2048, 6400]
# Ties, overlaps, texts that run out of pairs, and characters that engines cut differently.
SMALL = [
    "", "a", "aaaa", "aaa aaaa aaaaa aaaaaaaa", "abababab babab", "ab ba ab ba", "ab cd ef gh ab cd ef gh",
    "the cat sat on the mat, the rat sat on the cat", "aabb aabb abab baba bbaa", "  \n\n \t  spaces   \r\n  everywhere  ",
    "it's we'll they've I'm you'd don't '' 'S 'LL", "1234 12 123 1.5 2024-01-01 ¼²③", "\u00a0nbsp\u0085nel\ufeffbom\u2028ls",
    "学而时习之，不亦说乎？学而时习之，不亦说乎？", "👍🏽👍🏽 é e\u0301 ǆ ß", "<|im_start|>a<|im_end|> <|im_start|>b<|im_end|>",
]


def trained(text, size):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return t


def merges(t):
    return [list(p) for p in json.loads(t.to_str())["model"]["merges"]]


def digest(t, text):
    m, ids = merges(t), t.encode(text).ids
    return {"merges": len(m), "merges_sha256": hashlib.sha256("".join(" ".join(p) + "\n" for p in m).encode()).hexdigest(),
            "tokens": len(ids), "ids_u16le_sha256": hashlib.sha256(struct.pack("<%dH" % len(ids), *ids)).hexdigest()}


small = [{"text": s, "merges": merges(t), "ids": t.encode(s).ids} for s in SMALL for t in [trained(s, 300)]]
large = []
for name, path in (a.split("=", 1) for a in sys.argv[1:]):
    raw = open(path, "rb").read()
    text = raw.decode("utf-8")
    large += [{"name": name, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), "vocabulary_size": n,
               **digest(trained(text, n), text)} for n in SIZES]
json.dump({"library": "tokenizers " + tokenizers.__version__, "small_vocabulary_size": 300, "small": small, "large": large},
          sys.stdout, ensure_ascii=True, indent=1)
