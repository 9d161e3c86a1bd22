"""Passwords, and the tokens that say who somebody is once they have given theirs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any

from specs.tracker.errors import NotSignedIn
from specs.tracker.identity import Actor

SECRET = os.environ.get("TRACKER_SECRET", "not a secret").encode()


def matches(password: str, stored: str) -> bool:
    """Whether a password is the one of which `salt$hash` was stored."""
    salt, _, digest = stored.partition("$")
    tried = hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1, dklen=16)
    return hmac.compare_digest(tried.hex(), digest)


def signed(claims: Actor) -> str:
    """A token that holds the claims."""
    payload = base64.urlsafe_b64encode(json.dumps(dict(claims)).encode()).decode()
    return f"{payload}.{_signature(payload)}"


def read(token: str) -> dict[str, Any]:
    """The claims of a token.

    Raises:
        NotSignedIn: it was not signed here.
    """
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(_signature(payload), signature):
        raise NotSignedIn("this token is not valid")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload))
    return claims


def _signature(payload: str) -> str:
    return hmac.new(SECRET, payload.encode(), hashlib.sha256).hexdigest()
