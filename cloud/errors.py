"""What can go wrong in the cloud, by what to do about it."""


class CloudError(Exception):
    """The root of every failure that the cloud names."""


class Retryable(CloudError):
    """It may work later: the supervisor tries again, backing off."""


class Fatal(CloudError):
    """It won't work until a person changes something. The text is one line and says what to do."""
