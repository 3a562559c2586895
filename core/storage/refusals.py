"""The two things storage says to people: it changed elsewhere, and it is not there."""

from core.i18n import N_, Refusal


class Missing(Refusal):
    """What was asked for does not exist, or belongs to somebody else: the answer is the same."""


class Stale(Refusal):
    """A save that was made on a version which is no longer the newest.

    ``current_version`` is the newest one and ``saved_at`` the time it was saved.
    """

    def __init__(self, current_version: int, saved_at: float) -> None:
        self.current_version = current_version
        self.saved_at = saved_at
        super().__init__(
            N_(
                "This venture was changed elsewhere and is now at version {version}: "
                "load it again, then repeat your change."
            ),
            version=current_version,
        )


def no_venture() -> Missing:
    return Missing(N_("There is no such venture; it may have been deleted."))


def no_version() -> Missing:
    return Missing(N_("There is no such version of this venture."))


def no_link() -> Missing:
    return Missing(N_("This link does not work; ask whoever sent it for a new one."))


def no_run() -> Missing:
    return Missing(N_("There is no such training run; it may have been deleted."))


def no_sweep() -> Missing:
    return Missing(N_("There is no such sweep; it may have been deleted."))
