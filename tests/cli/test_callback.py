"""The browser's way back: one answer, of this request, from the accounts server that was asked."""

import asyncio
import socket
import urllib.error
import urllib.request

import pytest

from consumer.cli.callback import Callback, wait_for_callback
from consumer.errors import ConnectionStoppedError

SERVER = "https://accounts.zoho.eu"


def test_a_state_is_good_for_one_answer() -> None:
    """The same answer again, as from the browser's history, is refused."""
    callback = Callback(accounts_server=SERVER)
    assert callback.check(callback.state, SERVER) == ""
    assert "before" in callback.check(callback.state, SERVER)


@pytest.mark.parametrize("state", ["", "guessed", "ü"])
def test_another_state_is_refused_and_does_not_use_up_the_right_one(state: str) -> None:
    """Whoever sends the user a link of his own gets nothing, and stops nothing."""
    callback = Callback(accounts_server=SERVER)
    assert "another request" in callback.check(state, SERVER)
    assert callback.check(callback.state, SERVER) == ""


def test_an_answer_of_another_accounts_server_is_refused() -> None:
    """The code would be exchanged where it was not asked for (mix-up), together with our secret."""
    callback = Callback(accounts_server=SERVER)
    assert "data_center" in callback.check(callback.state, "https://accounts.evil.example")


def test_a_slash_at_the_end_makes_no_other_server_and_none_named_is_allowed() -> None:
    """The server names itself in one form or the other, or not at all."""
    for named in (SERVER + "/", SERVER, None):
        callback = Callback(accounts_server=SERVER)
        assert callback.check(callback.state, named) == ""


def test_states_differ_and_do_not_show() -> None:
    """Long enough not to be guessed, and in no log."""
    first, second = Callback(accounts_server=SERVER), Callback(accounts_server=SERVER)
    assert first.state != second.state
    assert len(first.state) >= 43
    assert first.state not in repr(first)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def _get(port: int, query: str) -> tuple[int, str]:
    """Ask like a browser; the server may need a moment to listen."""

    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/callback?{query}", timeout=5.0) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(get)


async def _listening(port: int) -> None:
    async with asyncio.timeout(10.0):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def test_the_code_of_the_right_answer_is_given_after_wrong_ones() -> None:
    """Over a real socket: a foreign state is told 400, the right one may close the page."""
    callback, port = Callback(accounts_server=SERVER), _free_port()
    waiting = asyncio.create_task(wait_for_callback(callback, port))
    await _listening(port)
    assert (await _get(port, "state=foreign&code=evil"))[0] == 400
    status, text = await _get(port, f"state={callback.state}&code=good&accounts-server={SERVER}")
    assert (status, "close this page" in text) == (200, True)
    assert await asyncio.wait_for(waiting, 10.0) == "good"


async def test_a_user_who_says_no_ends_the_command() -> None:
    """With what the accounts server said."""
    callback, port = Callback(accounts_server=SERVER), _free_port()
    waiting = asyncio.create_task(wait_for_callback(callback, port))
    await _listening(port)
    await _get(port, f"state={callback.state}&error=access_denied")
    with pytest.raises(ConnectionStoppedError, match="access_denied"):
        await asyncio.wait_for(waiting, 10.0)
