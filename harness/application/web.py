"""The web application under test, whichever protocol it speaks."""

from __future__ import annotations

import inspect
from typing import Any

from harness.application.annotations import is_coroutine_function
from harness.application.asgi import Asgi
from harness.application.loop import Loop
from harness.application.request import Request
from harness.application.wsgi import Wsgi
from harness.errors import ConfigError
from harness.matching.responses import Response


class Web:
    """Sends requests to it in process: no socket, no cookies, no redirects, no proxies.

    Args:
        app: told apart by how it is called.
        loop: where it runs, if it is an ASGI application.

    Raises:
        ConfigError: it is neither ASGI nor WSGI.
    """

    def __init__(self, app: object, loop: Loop) -> None:
        served: Any = app
        self._gateway = Asgi(served, loop) if _is_asgi(app) else Wsgi(served)

    def send(self, request: Request) -> Response:
        """The response to one request.

        Raises:
            SpecError: the request cannot be sent.
            HarnessError: the application did not start, or did not answer.
            BaseException: whatever it lets through, as it is.
        """
        response = self._gateway.exchange(request.built())
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)
        return Response(response.status_code, headers, response.content, response.text)

    def close(self) -> None:
        """End the application.

        Raises:
            HarnessError: it failed at it.
        """
        self._gateway.close()


def _is_asgi(app: object) -> bool:
    if not callable(app):
        raise ConfigError(
            f"`app` is {_named(app)}, which cannot be called",
            hint="name an ASGI or WSGI application, e.g. app = 'package.main:app'",
        )
    try:
        signature = inspect.signature(app)
    except ValueError as error:
        raise ConfigError(f"how {_named(app)} is called cannot be seen: {error}") from error
    is_async = is_coroutine_function(app)
    takes_two, takes_three = _takes(signature, 2), _takes(signature, 3)
    if takes_three and (is_async or not takes_two):
        return True
    if takes_two and not takes_three and not is_async:
        return False
    found = f"`app` is {_named(app)}, called {'asynchronously ' if is_async else ''}as {signature}"
    raise ConfigError(f"{found}: neither ASGI nor WSGI", hint=_hint(signature))


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _hint(signature: inspect.Signature) -> str:
    if _takes(signature, 0) and not _takes(signature, 2):
        return "if it makes the application, name what it returned, e.g. app = create_app()"
    if _takes(signature, 1) and not _takes(signature, 2):
        return "ASGI 2 is called as (scope); asgiref.compatibility.guarantee_single_callable helps"
    return "ASGI is `async def app(scope, receive, send)`, WSGI `def app(environ, start_response)`"


def _named(app: object) -> str:
    name = getattr(app, "__qualname__", None)
    if isinstance(name, str):
        return f"the {'class' if inspect.isclass(app) else 'function'} {name}"
    return f"an object of {type(app).__module__}.{type(app).__qualname__}"
