"""What can go wrong on the device, by what to do about it."""


class AgentError(Exception):
    """The root of every failure that the agent names."""


class Retryable(AgentError):
    """It may work later: the supervisor tries again, backing off."""


class Fatal(AgentError):
    """It won't work until a person changes something. The text is one line and says what to do."""
