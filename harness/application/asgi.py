"""Requests to an ASGI application, in process."""

from __future__ import annotations

import httpx

from harness.application.lifespan import AsgiApp, Lifespan, Message, Receive, Send
from harness.application.loop import Loop
from harness.errors import HarnessError


class Asgi:
    """Sends requests on the worker's loop; the first starts the application."""

    def __init__(self, app: AsgiApp, loop: Loop) -> None:
        self._app = app
        self._loop = loop
        self._lifespan = Lifespan(app)
        self._transport = httpx.ASGITransport(self._served, raise_app_exceptions=True)

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """The whole response; the application is done with it, its background tasks included.

        Raises:
            HarnessError: the application did not start, or did not answer.
            BaseException: whatever it lets through.
        """
        if not self._lifespan.is_started:
            self._loop.start(self._lifespan.start())
        try:
            return self._loop.run(self._exchange(request))
        except BaseExceptionGroup as group:
            error = _only(group)
            if error is group:
                raise
        # Outside of `except`, so that the group does not become the error's context.
        raise error

    def close(self) -> None:
        """End the application.

        Raises:
            HarnessError: it failed at it.
        """
        self._loop.run(self._lifespan.stop())

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        await response.aread()
        return response

    async def _served(self, scope: Message, receive: Receive, send: Send) -> None:
        is_complete = False

        async def noticed(message: Message) -> None:
            nonlocal is_complete
            is_complete |= message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        await self._app({**scope, "state": dict(self._lifespan.state)}, receive, noticed)
        if not is_complete:
            raise HarnessError(
                "the application returned without a complete response",
                hint="is the configured `app` an ASGI application that serves HTTP?",
            )


def _only(error: BaseException) -> BaseException:
    """The error inside of task groups, if there is just one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
