"""Facts of the computer: the 40-pin header of the Raspberry Pi 4 and of carrier boards for the Compute Module 4. Pure.

Source: BCM2711 ARM Peripherals, 5.3 (alternative functions); Raspberry Pi documentation, GPIO and the 40-pin header.
"""

LOGIC_V = 3.3
"""What a GPIO gives, and the most that it stands."""

HEADER_PINS = {
    0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33, 14: 8, 15: 10,
    16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip
"""GPIO by its BCM number: the header's pin."""

RESERVED = {
    0: "the ID EEPROM (ID_SD)",
    1: "the ID EEPROM (ID_SC)",
    14: "the console (TXD)",
    15: "the console (RXD)",
}
"""GPIO by its BCM number: what it is kept for on every device."""

PERIPHERALS = {
    "i2c1": {"sda": 2, "scl": 3},
    "uart2": {"tx": 0, "rx": 1, "de": 3},
    "uart3": {"tx": 4, "rx": 5, "de": 7},
    "uart4": {"tx": 8, "rx": 9, "de": 11},
    "uart5": {"tx": 12, "rx": 13, "de": 15},
}
"""The pins of each peripheral. `de` is the UART's RTS, which turns an RS-485 transceiver round."""

ADDRESSES = {"uart2": "fe201400", "uart3": "fe201600", "uart4": "fe201800", "uart5": "fe201a00"}
"""Where the processor has each serial peripheral: the kernel's numbers of ports change, these do not."""

NAMES = "/dev/watchroom"
"""Where the device's udev rules put the names of its serial lines."""

ROLES = {"i2c": ("sda", "scl"), "uart": ("tx", "rx"), "rs485": ("tx", "rx", "de")}
"""The pins that a bus of each kind needs."""

WIRES = {"i2c": (), "uart": ("tx", "rx"), "rs485": ("a", "b")}
"""The wires that leave the board of each kind."""
