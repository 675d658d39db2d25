"""The directory: which organisations, bases, units and devices there are, read from a folder of TOML and checked whole.

load(folder) = folder.py reads the texts → build.py (pure: shape) → check.py (pure: references both ways) → Directory
"""

from cloud.directory.folder import DirectoryInvalid, load
from cloud.directory.in_force import InForce
from cloud.directory.rows import Base, Device, Directory, Organisation, Unit
from cloud.directory.schemes import SchemesInvalid, load_schemes

__all__ = [
    "Base",
    "Device",
    "Directory",
    "DirectoryInvalid",
    "InForce",
    "Organisation",
    "SchemesInvalid",
    "Unit",
    "load",
    "load_schemes",
]
