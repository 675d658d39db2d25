"""The sums of the circuits, each a plain function: volts, amperes, ohms, watts, farads and seconds in and out."""


def parallel(*ohms: float) -> float:
    """Resistance of resistors side by side."""
    return 1 / sum(1 / each for each in ohms)


def divided(volts: float, upper: float, lower: float) -> float:
    """Voltage of the middle of a divider."""
    return volts * lower / (upper + lower)


def heat_w(volts: float, ohms: float) -> float:
    """Power in a resistor with `volts` across it."""
    return volts * volts / ohms


def led_a(volts: float, ohms: float, drop_v: float, led_v: float, bleed_ohms: float) -> float:
    """Current of an LED behind `ohms` and a diode, with `bleed_ohms` across it; none where it does not light."""
    return max(0.0, (volts - drop_v - led_v) / ohms - led_v / bleed_ohms)


def unlit_v(volts: float, ohms: float, bleed_ohms: float) -> float:
    """Voltage across an LED that does not light, of which the bleed takes all the current; no diode's drop helps."""
    return divided(volts, ohms, bleed_ohms)


def idle_v(supply_v: float, bias_ohms: float, end_ohms: float, input_ohms: float) -> float:
    """Differential voltage of an idle RS-485 line: biased by `bias_ohms` up and down, `end_ohms` between A and B.

    `input_ohms` is what loads each wire to ground. Two equations, one a wire, solved for A less B.
    """
    own = 1 / bias_ohms + 1 / input_ohms
    across = 1 / end_ohms
    # A: (own + across) a - across b = supply / bias;   B: (own + across) b - across a = 0
    return supply_v / bias_ohms / (own + 2 * across)
