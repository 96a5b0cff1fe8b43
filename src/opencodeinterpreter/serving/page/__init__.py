"""The web page: its files, and the routes that serve them."""

from opencodeinterpreter.serving.page.routes import PUBLIC_PAGES, page_routes

__all__ = ["PUBLIC_PAGES", "page_routes"]
