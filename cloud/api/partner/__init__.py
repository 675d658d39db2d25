"""The application for partners' systems, on a port of its own: each sees exactly its share, and nothing beside it."""

from cloud.api.partner.app import make_partner_api

__all__ = ["make_partner_api"]
