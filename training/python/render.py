"""Chat rows to tokens, with the checks that keep training honest.

TRL tokenises the prompt and prompt + completion apart and cuts by length, with a warning at most where the one is no
prefix of the other. Here that is an error, and so is a reply that does not end its turn.
"""

import sys

from job import BadData

Messages = list[dict]


class TooLong(BadData):
    """A last message and its reply that have more tokens than a run takes."""


def fit_rows(tokenizer, rows: list[dict], max_length: int, file: str, spare: bool = False) -> list[dict]:
    """Every row checked and cut to `max_length` tokens; `spare` ones that can't be are left out, as nobody voted on them.

    Raises `BadData` naming the file and the line.
    """
    fitted = []
    for row in rows:
        try:
            fitted.append(_fit_row(tokenizer, row, max_length, f"{file} line {row['line']}"))
        except TooLong as error:
            if not spare:
                raise
            print(f"Left out: {error}", file=sys.stderr)
    return fitted


def token_ids(tokenizer, prompt: Messages, reply: Messages, where: str = "row") -> tuple[list[int], list[int]]:
    """Tokens of the prompt and of the reply after it."""
    head = prompt_ids(tokenizer, prompt)
    whole = _ids(tokenizer, prompt + reply)
    if whole[: len(head)] != head:
        raise BadData(f"{where}: the chat template renders the prompt differently once a reply follows it.")
    tail = whole[len(head) :]
    if not _ends_turn(tokenizer, tail):
        raise BadData(
            f"{where}: the chat template does not end the reply with {tokenizer.eos_token!r}, "
            "so the model would never learn to stop."
        )
    return head, tail


def prompt_ids(tokenizer, prompt: Messages) -> list[int]:
    """Tokens of a prompt that waits for its reply."""
    return _ids(tokenizer, prompt, add_generation_prompt=True)


def _fit_row(tokenizer, row: dict, max_length: int, where: str) -> dict:
    replies = [field for field in ("chosen", "rejected", "completion") if field in row]
    plain = {field: _as_data(tokenizer, row[field]) for field in ("prompt", *replies)}
    prompt = plain["prompt"]
    while True:
        lengths = []
        for field in replies:
            head, tail = token_ids(tokenizer, prompt, plain[field], where)
            lengths.append(len(head) + len(tail))
        if max(lengths) <= max_length:
            break
        shorter = _without_oldest(prompt)
        if shorter is None:
            raise TooLong(
                f"{where}: the last message and its reply are {max(lengths)} tokens; maxLength is {max_length}."
            )
        prompt = shorter
    out = {**plain, "prompt": prompt}
    return {**out, "label": row["label"]} if "label" in row else out


def _without_oldest(prompt: Messages) -> Messages | None:
    """The prompt without its oldest exchange; system messages and the last message stay. None: nothing to drop."""
    system = [message for message in prompt if message["role"] == "system"]
    turns = [message for message in prompt if message["role"] != "system"]
    if len(turns) < 2:
        return None
    rest = turns[1:]
    while rest[0]["role"] == "assistant":
        rest = rest[1:]
    return system + rest


def _as_data(tokenizer, messages: Messages) -> Messages:
    """What a person wrote must not become a special token: `<|im_end|>` in a message turns into `< |im_end|>`."""
    special = [token for token in tokenizer.get_added_vocab() if len(token) > 1]
    out = []
    for message in messages:
        content = message["content"]
        for token in special:
            content = content.replace(token, f"{token[0]} {token[1:]}")
        out.append({**message, "content": content})
    return out


def _ids(tokenizer, messages: Messages, **options) -> list[int]:
    return tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **options)["input_ids"]


def _ends_turn(tokenizer, ids: list[int]) -> bool:
    """True when the end-of-turn token is last, but for white space that the template adds after it."""
    if tokenizer.eos_token_id not in ids:
        return False
    last = len(ids) - 1 - ids[::-1].index(tokenizer.eos_token_id)
    return tokenizer.decode(ids[last + 1 :]).strip() == ""
