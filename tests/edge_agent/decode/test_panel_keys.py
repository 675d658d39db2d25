"""Key names against the kernel's own list."""

import pytest

from edge_agent.decode.keys import KEY_CODES, decode_key

HEADER = """
KEY_ESC 1 KEY_1 2 KEY_2 3 KEY_3 4 KEY_4 5 KEY_5 6 KEY_6 7 KEY_7 8 KEY_8 9 KEY_9 10 KEY_0 11 KEY_BACKSPACE 14
KEY_TAB 15 KEY_Q 16 KEY_W 17 KEY_E 18 KEY_R 19 KEY_T 20 KEY_Y 21 KEY_U 22 KEY_I 23 KEY_O 24 KEY_P 25 KEY_ENTER 28
KEY_A 30 KEY_S 31 KEY_D 32 KEY_F 33 KEY_G 34 KEY_H 35 KEY_J 36 KEY_K 37 KEY_L 38 KEY_Z 44 KEY_X 45 KEY_C 46
KEY_V 47 KEY_B 48 KEY_N 49 KEY_M 50 KEY_KPASTERISK 55 KEY_SPACE 57 KEY_F1 59 KEY_F2 60 KEY_F3 61 KEY_F4 62
KEY_F5 63 KEY_F6 64 KEY_F7 65 KEY_F8 66 KEY_F9 67 KEY_F10 68 KEY_KP7 71 KEY_KP8 72 KEY_KP9 73 KEY_KPMINUS 74
KEY_KP4 75 KEY_KP5 76 KEY_KP6 77 KEY_KPPLUS 78 KEY_KP1 79 KEY_KP2 80 KEY_KP3 81 KEY_KP0 82 KEY_KPDOT 83
KEY_F11 87 KEY_F12 88 KEY_KPENTER 96 KEY_KPSLASH 98 KEY_F13 183 KEY_F14 184 KEY_F15 185 KEY_F16 186 KEY_F17 187
KEY_F18 188 KEY_F19 189 KEY_F20 190 KEY_F21 191 KEY_F22 192 KEY_F23 193 KEY_F24 194 BTN_0 256 BTN_1 257 BTN_2 258
BTN_3 259 BTN_4 260 BTN_5 261 BTN_6 262 BTN_7 263 BTN_8 264 BTN_9 265
"""


def test_every_name_has_the_kernel_s_code() -> None:
    """The table is exactly what `linux/input-event-codes.h` says of these keys."""
    words = HEADER.split()
    expected = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert expected == KEY_CODES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KEY_KP4", 75),
        ("75", 75),
        ("767", 767),
        ("768", None),
        ("0", None),
        ("-2", None),
        ("key_kp4", None),
        ("²", None),
        ("", None),
    ],
)
def test_a_key_is_given_by_name_or_number(text: str, code: int | None) -> None:
    """Config may give either; anything else is no key."""
    assert decode_key(text) == code
