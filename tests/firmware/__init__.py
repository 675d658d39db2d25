"""The files of `firmware_configs/`, each by its own program."""
