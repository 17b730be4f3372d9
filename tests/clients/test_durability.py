"""What was acknowledged survives `kill -9`, and a race has one winner, in the real process."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import aws
import login
from server import Daypass

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


def test_two_hundred_racing_logins_of_one_person_get_one_identity(daypass):
    codes = [login.authorize(daypass, "alan").proof() for _ in range(200)]
    with ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda code: login.exchange(daypass, code), codes))
    assert len({answer["identity_id"] for answer in answers}) == 1
