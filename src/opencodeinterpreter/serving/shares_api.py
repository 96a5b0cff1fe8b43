"""The plain API: links that show a session to whoever has them; and what such a link shows."""

from __future__ import annotations

import logging
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel, Field

from opencodeinterpreter.errors import InputError, SessionError
from opencodeinterpreter.pages import assemble, text_of
from opencodeinterpreter.serving.refusals import NotHereError
from opencodeinterpreter.serving.schemas import Body
from opencodeinterpreter.serving.sessions_api import REFUSALS, Language, TheHub, TheKey, TheRoom, title_of
from opencodeinterpreter.serving.shares import MOST_DAYS, Share, Shares, Wish

logger = logging.getLogger(__name__)

PUBLIC = "/shared/"
"""Needs no key: the token is in the path."""

router = APIRouter(prefix="/api/v1/sessions/{identity}/shares", responses=REFUSALS, tags=["shares"])
shown = APIRouter(prefix="/shared/{token}", include_in_schema=False)

_HEADERS = {
    # Of an origin of its own, without scripts: nothing in it can reach the server, whatever was written into it.
    "Content-Security-Policy": "; ".join(
        (
            "sandbox allow-downloads allow-popups allow-popups-to-escape-sandbox",
            "default-src 'none'",
            "style-src 'unsafe-inline'",  # the page's own policy takes one by its hash
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_ENDED = {
    404: ("There is nothing here", "The link is not one of this server, or a part of it is missing.", "此链接无效。"),
    410: ("This link has ended", "It was revoked, or its time is over. Ask for a new one.", "此链接已被撤销或已过期。"),
}


class NewShare(Body):
    days: int = Field(default=7, ge=1, le=MOST_DAYS, description="The link ends after so many.")
    files: bool = Field(default=False, description="Let the files of the workspace be fetched too.")
    language: Language = Field(default="en", description="Of the page's own words.")


class ShareRow(BaseModel):
    id: str
    url: str = Field(description="Shows the session as it stood, to whoever has it; relative to this server.")
    created: float = Field(description="Seconds since 1970.")
    expires: float
    files: int = Field(description="How many can be fetched.")
    by: str = Field(description="The name of the key that made it; empty for the server's own token.")


def the_shares(request: Request) -> Shares:
    shares: Shares = request.app.state.shares
    return shares


TheShares = Annotated[Shares, Depends(the_shares)]


@router.get("")
def list_shares(room: TheRoom, shares: TheShares) -> list[ShareRow]:
    """The links to this session that are open, newest first."""
    return [_row(share, shares) for share in shares.of(room.id)]


@router.post("", status_code=201)
def make_share(body: NewShare, room: TheRoom, hub: TheHub, key: TheKey, shares: TheShares) -> ShareRow:
    """Make a link that shows the session as it stands now; what comes later is not in it."""
    wish = Wish(body.days, body.files, body.language)
    share = shares.make(room.id, key.name, title_of(room, hub), room.turns(), hub.files(room), wish)
    row = {"type": "shared", "share": share.id, "by": key.name, "expires": share.expires, "files": len(share.files)}
    try:
        room.note(row)
    except BaseException:
        shares.revoke(room.id, share.id)  # no link of which the log does not tell
        raise
    logger.info("shared", extra={"fields": {"key": key.name, "share": share.id, "files": len(share.files)}})
    return _row(share, shares)


@router.delete("/{share}", status_code=204)
def revoke_share(share: str, room: TheRoom, key: TheKey, shares: TheShares) -> Response:
    """End a link: it opens nothing from now on."""
    try:
        shares.revoke(room.id, share)
    except InputError as error:
        raise NotHereError(str(error)) from error
    logger.info("unshared", extra={"fields": {"key": key.name, "share": share}})
    try:
        room.note({"type": "unshared", "share": share, "by": key.name})
    except SessionError:  # another program has the session open; the link is ended all the same
        logger.warning("The log of session %s does not tell of a link that was ended.", room.id)
    return Response(status_code=204)


@shown.get("/")
def show(token: str, shares: TheShares) -> Response:
    """The page of a share."""
    share = shares.find(token)
    if share is None:
        return _ended(404)
    try:
        if shares.state(share) != "open":
            return _ended(410)
        return HTMLResponse(shares.page(share), headers=_HEADERS)
    except FileNotFoundError:
        return _ended(410)


@shown.get("/files/{number}")
def fetch(token: str, number: str, shares: TheShares) -> Response:
    """A file of a share, to be saved."""
    share = shares.find(token)
    if share is None:
        return _ended(404)
    if shares.state(share) != "open":
        return _ended(410)
    found = shares.file(share, int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else None
    if found is None:
        return _ended(404)
    path, name = found
    disposition = f"attachment; filename*=UTF-8''{quote(name.rpartition('/')[2])}"
    headers = {**_HEADERS, "Content-Disposition": disposition}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


def _row(share: Share, shares: Shares) -> ShareRow:
    return ShareRow(
        id=share.id,
        url=f"{PUBLIC}{shares.token(share)}/",
        created=share.created,
        expires=share.expires,
        files=len(share.files),
        by=share.by,
    )


def _ended(status: int) -> Response:
    title, text, chinese = _ENDED[status]
    said = f'<h1>{escape(title)}</h1><p>{escape(text)}</p><p lang="zh-CN">{escape(chinese)}</p>'
    body = f'<main class="over">{said}</main>\n'
    style = text_of("page.css") + ".over{max-width:34rem;padding-top:18vh}.over p{color:var(--faint);margin-top:.6rem}"
    return HTMLResponse(assemble(title, body, style=style), status_code=status, headers=_HEADERS)
