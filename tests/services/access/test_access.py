"""One token per connection: renewed early, by one at a time, and never more often than the accounts server allows."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from consumer.adapters.memory.tokens import MemoryTokenStore
from consumer.errors import ConnectionStoppedError, LedgerUnavailableError, StopCause, ThrottledError, ThrottleKind
from consumer.ports.ledger import ClientCredentials, Grant, Renewed
from consumer.secrets import Keyring
from consumer.services.access import TokenKeeper
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import BOOKS, World

KEYRING = Keyring({"one": b"1" * 32})


class Server:
    """An accounts server that takes a second for each renewal."""

    def __init__(self) -> None:
        self.renewals = 0
        self.fails: Exception | None = None

    def authorize_url(self, data_center: str, client_id: str, redirect_uri: str, state: str) -> str:
        """See Accounts."""
        raise NotImplementedError

    async def exchange_code(
        self, data_center: str, client: ClientCredentials, code: str, redirect_uri: str | None
    ) -> Grant:
        """See Accounts."""
        raise NotImplementedError

    async def refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        """Give the next token."""
        assert (data_center, client.client_secret, refresh_token) == ("eu", "client-secret", "refresh")
        self.renewals += 1
        number = self.renewals
        await let_pass(1.0)
        if self.fails is not None:
            raise self.fails
        return Renewed(access_token=f"token-{number}", expires_in_seconds=3600.0)

    async def revoke(self, data_center: str, refresh_token: str) -> None:
        """See Accounts."""
        raise NotImplementedError


class Case:
    """A connection that was authorised, and what its processes ask for tokens."""

    def __init__(self) -> None:
        self.world = World()
        self.store = MemoryTokenStore(self.world.database, keyring=KEYRING)
        self.server = Server()
        self.repeats = 0

    async def grant(self, expires_in_seconds: float = 3600.0) -> None:
        """Authorise."""
        await self.world.set_up()
        await self.store.save_grant(
            BOOKS,
            client_id="client",
            client_secret="client-secret",
            refresh_token="refresh",
            access_token="token-0",
            expires_in_seconds=expires_in_seconds,
            actor="test",
        )

    def keeper(self, clock: Callable[[], float] | None = None) -> TokenKeeper:
        """Make the keeper of one process."""

        async def slot_for_repeat() -> None:
            self.repeats += 1

        return TokenKeeper(
            connection_id=BOOKS,
            data_center="eu",
            tokens=self.store,
            accounts=self.server,
            clock=clock or asyncio.get_running_loop().time,
            slot_for_repeat=slot_for_repeat,
        )


def test_a_token_is_used_until_five_minutes_before_its_end() -> None:
    """At 54 minutes it is the granted one, at 56 a renewed one; nobody was refused in between."""
    case = Case()

    async def work() -> None:
        await case.grant()
        keeper = case.keeper()
        assert await keeper.token() == "token-0"
        await let_pass(54 * 60.0)
        assert await keeper.token() == "token-0"
        await let_pass(2 * 60.0)
        assert await keeper.token() == "token-1"

    run(work())
    assert case.server.renewals == 1


def test_many_calls_in_several_processes_renew_once() -> None:
    """Three processes, ten calls each, one token that has ended: one renewal, and all get what it gave."""
    case = Case()

    async def work() -> None:
        await case.grant(expires_in_seconds=10.0)
        keepers = [case.keeper() for _ in range(3)]
        tokens = await asyncio.gather(*(keeper.token() for keeper in keepers for _ in range(10)))
        assert set(tokens) == {"token-1"}

    run(work())
    assert case.server.renewals == 1


def test_a_refused_token_is_renewed_once_for_all_calls_that_it_was_refused_to() -> None:
    """Four calls got a 401 with the same token; each repetition takes a slot of its own."""
    case = Case()

    async def work() -> None:
        await case.grant()
        keeper = case.keeper()
        stale = await keeper.token()
        tokens = await asyncio.gather(*(keeper.renewed(stale) for _ in range(4)))
        assert set(tokens) == {"token-1"}

    run(work())
    assert (case.server.renewals, case.repeats) == (1, 4)


def test_a_process_that_died_while_it_renewed_keeps_the_others_for_twenty_seconds() -> None:
    """Nobody ends its renewal; the next one begins when its time is over."""
    case = Case()

    async def work() -> None:
        await case.grant(expires_in_seconds=10.0)
        stored = await case.store.read(BOOKS)
        assert stored is not None
        assert await case.store.begin_renewal(BOOKS, stored.version, 20.0) == 0
        begun = case.world.now()
        assert await case.keeper().token() == "token-1"
        assert case.world.now() - begun >= timedelta(seconds=20)

    run(work())


def test_a_renewal_that_fails_lets_the_next_one_try_at_once() -> None:
    """The accounts server was away: the error is passed on, and a second later the renewal succeeds."""
    case = Case()

    async def work() -> None:
        await case.grant(expires_in_seconds=10.0)
        keeper = case.keeper()
        case.server.fails = LedgerUnavailableError("away")
        with pytest.raises(LedgerUnavailableError, match="away"):
            await keeper.token()
        case.server.fails = None
        begun = case.world.now()
        assert await keeper.token() == "token-2"
        assert case.world.now() - begun < timedelta(seconds=5)

    run(work())


@pytest.mark.parametrize(
    "error",
    [
        ConnectionStoppedError("revoked", StopCause.TOKEN_REVOKED),
        ThrottledError("too many", ThrottleKind.OAUTH, 600.0),
    ],
)
def test_what_the_accounts_server_says_is_passed_on_as_it_is(error: Exception) -> None:
    """A revoked authorisation stops the connection, too many renewals rest it."""
    case = Case()

    async def work() -> None:
        await case.grant(expires_in_seconds=10.0)
        case.server.fails = error
        with pytest.raises(type(error), match=str(error)):
            await case.keeper().token()

    run(work())


def test_a_connection_that_was_never_authorised_says_which_command_does_it() -> None:
    """It stops the connection, with the sentence a person needs."""
    case = Case()

    async def work() -> None:
        await case.world.set_up()
        with pytest.raises(ConnectionStoppedError, match=f"booked connect {BOOKS}") as stopped:
            await case.keeper().token()
        assert stopped.value.cause is StopCause.NOT_CONNECTED

    run(work())


def test_a_token_sealed_with_a_key_that_is_gone_stops_the_connection() -> None:
    """And the message quotes no secret."""
    case = Case()

    async def work() -> None:
        await case.grant()
        case.store = MemoryTokenStore(case.world.database, keyring=Keyring({"two": b"2" * 32}))
        with pytest.raises(ConnectionStoppedError, match="one") as stopped:
            await case.keeper().token()
        assert stopped.value.cause is StopCause.SECRET_UNREADABLE
        assert "token-0" not in str(stopped.value)

    run(work())


def test_ten_renewals_in_ten_minutes_are_never_reached() -> None:
    """Refused tokens one after the other: after nine renewals the keeper waits instead of asking."""
    case = Case()

    async def work() -> None:
        await case.grant()
        keeper = case.keeper()
        for _ in range(9):
            await keeper.renewed(await keeper.token())
        stale = await keeper.token()
        with pytest.raises(LedgerUnavailableError, match="for too long"):
            await keeper.renewed(stale)

    run(work())
    assert case.server.renewals == 9
