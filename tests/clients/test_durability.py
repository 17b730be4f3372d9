"""What was acknowledged survives `kill -9`, and a race has one winner, in the real process."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from federation import Federation
from support import aws, login
from support.server import Daypass

PEOPLE = 1000
KILL_AFTER = 300
THREADS = 8


def exchange_until_killed(daypass, acknowledged):
    """A thousand people come, each for the first time; the server is killed while they do."""
    pools, enough = aws.developer(daypass, "cognito-identity"), threading.Event()

    def come(number):
        user = f"snapchat:person-{number}"
        try:
            answer = pools.get_open_id_token_for_developer_identity(
                IdentityPoolId=daypass.identity_pool_id, Logins={daypass.developer_provider: user}
            )
        except Exception:  # the server is gone, in whatever way the client notices
            return
        acknowledged[user] = answer["IdentityId"]
        if len(acknowledged) >= KILL_AFTER:
            enough.set()

    with ThreadPoolExecutor(THREADS) as threads:
        comings = [threads.submit(come, number) for number in range(PEOPLE)]
        assert enough.wait(60), f"only {len(acknowledged)} of {PEOPLE} were answered"
        daypass.stop(signal.SIGKILL)
        for coming in comings:
            coming.result()


def test_no_acknowledged_identity_is_lost_by_a_kill_in_the_middle_of_a_thousand(tmp_path):
    acknowledged = {}
    before = Daypass(tmp_path / "state")
    ada = login.log_in(before, "ada")
    exchange_until_killed(before, acknowledged)
    assert KILL_AFTER <= len(acknowledged) < PEOPLE, "the kill came in the middle"

    with Daypass(tmp_path / "state", before.port) as after:
        pools = aws.developer(after, "cognito-identity")
        lost = {
            user: identity
            for user, identity in acknowledged.items()
            if aws.lookup(pools, after, user) != identity
        }
        assert not lost
        assert login.log_in(after, "ada").identity_id == ada.identity_id


class Change:
    """A change of somebody's logins, and what is so from then on."""

    def __init__(self, federation):
        self.federation, self.logins = federation, federation.issuer.logins("ada")
        self.other_logins = federation.other.logins("ada")
        self.identity_id = federation.get_id(self.logins)


class Linked(Change):
    def make(self):
        self.federation.token(self.identity_id, {**self.logins, **self.other_logins})

    def check(self):
        assert self.federation.get_id(self.other_logins) == self.identity_id


class GuestUpgraded(Change):
    def make(self):
        self.guest = self.federation.guest()
        self.federation.token(self.guest, self.other_logins)

    def check(self):
        assert self.federation.get_id(self.other_logins) == self.guest


class GuestMerged(Change):
    def make(self):
        self.guest = self.federation.guest()
        assert self.federation.token(self.guest, self.logins).identity_id == self.identity_id

    def check(self):
        with forbidden(self.guest):
            self.federation.token(self.guest, {})
        assert self.federation.get_id(self.logins) == self.identity_id


class DeveloperUsersMerged(Change):
    def make(self):
        self.source = self.federation.developer_token("Ada", Logins=self.logins).identity_id
        self.survivor = self.federation.developer_token("Countess Lovelace").identity_id
        self.federation.merge("Ada", "Countess Lovelace")

    def check(self):
        with forbidden(self.source):
            self.federation.token(self.source, self.logins)
        assert self.federation.get_id(self.logins) == self.survivor
        assert self.federation.developer_token("Ada").identity_id == self.survivor


class Unlinked(Change):
    def make(self):
        self.federation.public.unlink_identity(
            IdentityId=self.identity_id, Logins=self.logins, LoginsToRemove=[*self.logins]
        )

    def check(self):
        assert self.federation.providers_of(self.identity_id) == []
        assert self.federation.get_id(self.logins) != self.identity_id


class DeveloperUserUnlinked(Change):
    def make(self):
        self.identity_id = self.federation.developer_token("Ada", Logins=self.logins).identity_id
        self.federation.pools.unlink_developer_identity(
            IdentityId=self.identity_id,
            IdentityPoolId=self.federation.pool_id,
            DeveloperProviderName=self.federation.daypass.developer_provider,
            DeveloperUserIdentifier="Ada",
        )

    def check(self):
        assert self.federation.providers_of(self.identity_id) == [*self.logins]
        assert self.federation.developer_token("Ada").identity_id != self.identity_id


class Deleted(Change):
    def make(self):
        self.federation.pools.delete_identities(IdentityIdsToDelete=[self.identity_id])

    def check(self):
        with aws.refused("ResourceNotFoundException", f"Identity '{self.identity_id}' not found.", 400):
            self.federation.token(self.identity_id, self.logins)
        assert self.federation.get_id(self.logins) != self.identity_id


def forbidden(identity_id):
    return aws.refused("NotAuthorizedException", f"Access to Identity '{identity_id}' is forbidden.", 400)


CHANGES = [Linked, GuestUpgraded, GuestMerged, DeveloperUsersMerged, Unlinked, DeveloperUserUnlinked, Deleted]


@pytest.mark.parametrize("change", CHANGES)
def test_no_acknowledged_change_of_logins_is_lost_by_a_kill(tmp_path, change):
    with Federation(tmp_path) as federation:
        changed = change(federation)
        changed.make()
        federation.daypass.stop(signal.SIGKILL)
        federation.start(federation.daypass.port)
        changed.check()


def test_two_hundred_racing_logins_of_one_person_get_one_identity(daypass):
    codes = [login.authorize(daypass, "alan").proof() for _ in range(200)]
    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda code: login.exchange(daypass, code), codes))
    assert len({answer["identity_id"] for answer in answers}) == 1
