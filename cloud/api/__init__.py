"""HTTP routes, thin: they read live state and the stores, and write nothing."""

from cloud.api.site import Site, make_api

__all__ = ["Site", "make_api"]
