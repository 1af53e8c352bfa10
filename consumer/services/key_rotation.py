"""The change of keys: every sealed secret is sealed again with the key that writes, while the services run.

A secret tells itself which key it is under, so there is no progress to keep: who was killed in the middle starts again
and finds only what is left. Processes that still write with the old key may add secrets under it meanwhile; passes are
made until none is left, and what `check` counts is the proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.failpoints import failpoint
from consumer.ports.keys import KeyRing, SealedCount, SealedStore

BATCH_ROWS = 100
PASSES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """Which keys seal anything. ``removable`` are keys of this process that nothing is under any more.

    ``old`` are secrets under another key of this process than the writing one, ``unknown`` those under a key that it
    does not have, or that are no sealed secrets.
    """

    writing: str
    removable: tuple[str, ...]
    current: tuple[SealedCount, ...]
    old: tuple[SealedCount, ...]
    unknown: tuple[SealedCount, ...]

    @property
    def clean(self) -> bool:
        """Tell whether every secret is under the key that writes."""
        return not self.old and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a change of keys came to. ``failed`` says of secrets that do not open which they are, and why."""

    sealed_again: int
    failed: tuple[str, ...]
    check: KeyCheck


async def check_keys(store: SealedStore, keyring: KeyRing) -> KeyCheck:
    """Count what each key seals."""
    return judged(await store.counts(), keyring.key_ids)


def judged(counts: Sequence[SealedCount], key_ids: Sequence[str]) -> KeyCheck:
    """Sort the counts by what has to be done about them; the first of ``key_ids`` is the writing key."""
    writing, *others = key_ids
    used = {count.key_id for count in counts}
    return KeyCheck(
        writing=writing,
        removable=tuple(key_id for key_id in others if key_id not in used),
        current=tuple(count for count in counts if count.key_id == writing),
        old=tuple(count for count in counts if count.key_id in others),
        unknown=tuple(count for count in counts if count.key_id not in key_ids),
    )


async def rotate_keys(store: SealedStore, keyring: KeyRing, *, batch_rows: int = BATCH_ROWS) -> Rotation:
    """Seal every secret again that is not under the writing key. What does not open stays as it is, and is told."""
    sealed_again = 0
    failed: tuple[str, ...] = ()
    for _ in range(PASSES_MAX):
        count, failed = await _pass(store, keyring, batch_rows)
        sealed_again += count
        if count == 0:
            break
    return Rotation(sealed_again=sealed_again, failed=failed, check=await check_keys(store, keyring))


async def _pass(store: SealedStore, keyring: KeyRing, batch_rows: int) -> tuple[int, tuple[str, ...]]:
    after: str | None = ""
    sealed_again = 0
    failed: list[str] = []
    while after is not None:
        batch = await store.seal_again(
            prefix=keyring.prefix, after=after, limit=batch_rows, seal_again=keyring.seal_again
        )
        after = batch.last
        sealed_again += batch.sealed_again
        failed += batch.failed
        failpoint("keys_rotated_half")
    return sealed_again, tuple(failed)
