"""Names of keys, as Linux knows them. Facts from `linux/input-event-codes.h`."""

KEY_MAX = 0x2FF
"""The highest key code that the kernel sends."""

_ROWS = {16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"}
_KEYPAD = {71: "789", 75: "456", 79: "1230"}
_OTHERS = {
    "KEY_ESC": 1,
    "KEY_BACKSPACE": 14,
    "KEY_TAB": 15,
    "KEY_ENTER": 28,
    "KEY_SPACE": 57,
    "KEY_KPASTERISK": 55,
    "KEY_KPMINUS": 74,
    "KEY_KPPLUS": 78,
    "KEY_KPDOT": 83,
    "KEY_KPENTER": 96,
    "KEY_KPSLASH": 98,
    "KEY_0": 11,
    "KEY_F11": 87,
    "KEY_F12": 88,
}

KEY_CODES: dict[str, int] = {
    **{f"KEY_{digit}": 1 + digit for digit in range(1, 10)},
    **{f"KEY_{letter}": first + at for first, row in _ROWS.items() for at, letter in enumerate(row)},
    **{f"KEY_KP{digit}": first + at for first, row in _KEYPAD.items() for at, digit in enumerate(row)},
    **{f"KEY_F{number}": 58 + number for number in range(1, 11)},
    **{f"KEY_F{number}": 170 + number for number in range(13, 25)},
    **{f"BTN_{number}": 0x100 + number for number in range(10)},
    **_OTHERS,
}
"""Key name to code: digits, keypad, function keys, letters, and `gpio-keys`' plain buttons."""


def decode_key(text: str) -> int | None:
    """The code for a key's name (`KEY_KP4`) or for its number in decimal (`75`); None if it is neither."""
    if text.isascii() and text.isdigit() and len(text) <= 3 and 0 < int(text) <= KEY_MAX:
        return int(text)
    return KEY_CODES.get(text)
