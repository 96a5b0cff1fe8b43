"""The web page: its files, and the routes that serve them."""

from opencodeinterpreter.serving.page.routes import PUBLIC_PAGES, page_routes
from opencodeinterpreter.serving.page.tickets import Tickets

__all__ = ["PUBLIC_PAGES", "Tickets", "page_routes"]
