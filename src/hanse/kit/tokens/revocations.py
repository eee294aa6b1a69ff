"""Tokens that no longer hold although they have not expired."""

from __future__ import annotations

import time
from collections.abc import Callable

from hanse.kit.tokens.claims import LONGEST_LIFETIME, Claims
from hanse.kit.values import Value

_TIDY_EVERY = 60.0
_KEPT = LONGEST_LIFETIME + 60.0  # an issuer's clock may be a little ahead


class RevocationsSnapshot(Value):
    """What an element stores: until when each jti is remembered, and up to when a subject's tokens are revoked."""

    tokens: dict[str, float] = {}
    subjects: dict[str, float] = {}


class Revocations:
    """Remembers what was revoked for as long as such a token could still be alive. All times are Unix seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._subjects: dict[str, float] = {}
        self._tidied = clock()

    def revoke(self, jti: str, *, expires_at: float | None = None) -> None:
        """Refuse this token from now on; ``expires_at``, where known, lets it be forgotten earlier."""
        self._tidy()
        self._remember(self._tokens, jti, self._clock() + _KEPT if expires_at is None else expires_at)

    def revoke_subject(self, subject: str) -> None:
        """Refuse all tokens that the subject was issued until now."""
        self._tidy()
        self._remember(self._subjects, subject, self._clock())

    def cover(self, claims: Claims) -> bool:
        """Whether a token with these claims was revoked."""
        return claims.jti in self._tokens or claims.issued_at <= self._subjects.get(claims.subject, 0.0)

    def snapshot(self) -> RevocationsSnapshot:
        """All that is still remembered."""
        self._forget()
        return RevocationsSnapshot(tokens=dict(self._tokens), subjects=dict(self._subjects))

    def restore(self, snapshot: RevocationsSnapshot) -> None:
        """Add what was stored; nothing that was revoked meanwhile comes to life again."""
        for jti, until in snapshot.tokens.items():
            self._remember(self._tokens, jti, until)
        for subject, cut in snapshot.subjects.items():
            self._remember(self._subjects, subject, cut)
        self._forget()

    @staticmethod
    def _remember(table: dict[str, float], key: str, moment: float) -> None:
        table[key] = max(moment, table.get(key, 0.0))

    def _tidy(self) -> None:
        if self._clock() >= self._tidied + _TIDY_EVERY:
            self._forget()

    def _forget(self) -> None:
        now = self._tidied = self._clock()
        self._tokens = {jti: until for jti, until in self._tokens.items() if until > now}
        self._subjects = {s: cut for s, cut in self._subjects.items() if cut + _KEPT > now}
