"""Whatever a page refers to is there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import PAGES, anchors, links, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / unquote(target)).resolve() if target else page
        assert path.exists(), f"{name(page)}: {link}"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{name(page)}: {link}"


def test_every_page_of_docs_is_in_the_index() -> None:
    index = next(page for page in PAGES if name(page) == "docs/README.md")
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    for page in PAGES:
        if page.is_relative_to(index.parent) and page != index:
            assert page in linked or page.parent in linked, name(page)
