"""Cuts texts into the words and pieces of the embedder's table."""

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers


def cutter(words: list[str]):
    """Texts to lists of rows, as knowledge/word-pieces.ts does it."""
    model = models.WordPiece({w: n for n, w in enumerate([*words, "[UNK]"])}, unk_token="[UNK]", max_input_chars_per_word=64)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{N}]+"), "removed")
    return lambda texts: [[n for n in e.ids if n < len(words)] for e in tokenizer.encode_batch(texts)]
