"""Coroutines of a test that is none: in a thread of their own, since Playwright's loop runs in the main one as long as the session lasts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(coroutine):
    """As `asyncio.run`."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, coroutine).result()
