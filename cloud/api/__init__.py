"""HTTP routes, thin: they read live state and the stores, and hand orders to the desk."""

from cloud.api.site import Site, make_api
from cloud.api.source import Process

__all__ = ["Process", "Site", "make_api"]
