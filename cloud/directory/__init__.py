"""The directory: which organisations, bases, units and devices there are, read from a folder of TOML and checked whole.

load(folder) = folder.py reads the texts → build.py (shape) → check.py (references both ways) → resolve.py → Directory
InForce holds it; reload.py replaces it when the folder changes; binding.py lays control's word over it
"""

from cloud.directory.areas import Area
from cloud.directory.binding import Bound, bind, meaningless
from cloud.directory.folder import DirectoryInvalid, load
from cloud.directory.in_force import InForce
from cloud.directory.reload import Reloader
from cloud.directory.rows import Base, ControlRoom, Device, Directory, Organisation, Unit, Vehicle
from cloud.directory.schemes import SchemesInvalid, load_schemes

__all__ = [
    "Area",
    "Base",
    "Bound",
    "ControlRoom",
    "Device",
    "Directory",
    "DirectoryInvalid",
    "InForce",
    "Organisation",
    "Reloader",
    "SchemesInvalid",
    "Unit",
    "Vehicle",
    "bind",
    "load",
    "load_schemes",
    "meaningless",
]
