"""HTTP routes, thin: they read live state and the stores, and write nothing."""

from cloud.api.site import Site, make_api
from cloud.api.source import Process

__all__ = ["Process", "Site", "make_api"]
