"""How often mails with a link are sent for one person: a few at once, then slowly, so that nobody can flood a mailbox (RC-07).

A newer link ends the older. So that a stranger who keeps asking cannot keep the owner's links dead, a request too many changes
nothing: with lifetimes of half an hour and more the mailbox always holds a link that works, or a new one can be had.
"""

from __future__ import annotations

from ...database import now, transact
from ...server import current_server

_KIND = "mail_slot"
#: (mails, seconds): each mail fills one slot of every row, and frees it after that time.
PACE = ((2, 900.0), (6, 3600.0))


def take_slot(purpose: str, who: str) -> bool:
    """Whether another mail of this purpose may go to this person now; counted in the database, for unknown people as for known ones."""
    at = now()
    storage = current_server.storage

    def take() -> bool:
        free: list[tuple[str, float]] = []
        for most, seconds in PACE:
            names = (f"{purpose} {who} {seconds:.0f} {number}" for number in range(most))
            name = next((name for name in names if storage.read(_KIND, name) is None), None)
            if name is None:
                return False
            free.append((name, at + seconds))
        # Taken by put_once, so that of simultaneous requests on PostgreSQL no two fill the same slot.
        return all(storage.put_once(_KIND, name, {}, until) for name, until in free)

    return transact(take)
