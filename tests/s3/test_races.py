"""Several clients at one key at one time: whoever reads, reads one whole version, and of conditions one wins."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from place import Place
from upload import begin

# What the others do in a race is left to chance, and proves nothing of the scripts.
pytestmark = pytest.mark.stores("daypass", "person")

WRITERS, ROUNDS = 4, 12
SIZE = 150_000


def version(writer, number):
    """A body that says of itself whose it is, and that it is whole."""
    mark = f"{writer}/{number};".encode()
    return mark * (SIZE // len(mark))


def all_at_once(*tasks):
    """Runs these together, and answers how each ended."""
    gate = threading.Barrier(len(tasks))

    def run(task):
        gate.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


@pytest.fixture
def own(store, place):
    """A place with a client of its own, for each thread."""
    return lambda: Place(store.client(user_agent_extra=f"race/{threading.get_ident()}"), place.bucket, place.prefix)


def test_every_read_is_one_whole_version(place, own):
    versions = {version(writer, number) for writer in range(WRITERS) for number in range(ROUNDS)}
    place.put("object", version(0, 0))
    done = threading.Event()

    def write(writer):
        mine = own()
        for number in range(ROUNDS):
            mine.put("object", version(writer, number), Metadata={"writer": f"{writer}/{number}"})

    def read():
        mine, seen = own(), 0
        while not done.is_set() or not seen:
            got = mine.s3.get_object(**mine.at("object"))
            body = got["Body"].read()
            assert body in versions
            assert got["ETag"] == f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
            if got["Metadata"]:
                assert body.startswith(got["Metadata"]["writer"].encode() + b";")
            seen += 1
        return seen

    def write_all():
        try:
            all_at_once(*(lambda writer=writer: write(writer) for writer in range(WRITERS)))
        finally:
            done.set()

    _, *seen = all_at_once(write_all, read, read)
    assert all(seen)
    last = place.read("object")
    assert last in {version(writer, ROUNDS - 1) for writer in range(WRITERS)}
    assert place.read("object") == last


def outcome(call):
    """`done`, or the code of the refusal."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


# What S3 answers to those who lose, and to those who come while another is at it.
LOST = {"PreconditionFailed", "ConditionalRequestConflict"}


@pytest.mark.parametrize("round", range(5))
def test_of_those_who_would_be_the_first_one_is(place, own, round):
    outcomes = all_at_once(
        *(lambda n=n: outcome(lambda: own().put("new", version(n, 0), IfNoneMatch="*")) for n in range(6))
    )
    assert outcomes.count("done") == 1, outcomes
    assert set(outcomes) <= {"done"} | LOST
    assert place.read("new") == version(outcomes.index("done"), 0)


@pytest.mark.parametrize("round", range(5))
def test_of_those_who_complete_first_one_does(place, own, round):
    uploads = [begin(own(), "new") for _ in range(4)]
    for number, upload in enumerate(uploads):
        upload.put(1, version(number, 0))
    outcomes = all_at_once(*(lambda u=u: outcome(lambda: u.complete(IfNoneMatch="*")) for u in uploads))
    assert outcomes.count("done") == 1, outcomes
    assert set(outcomes) <= {"done"} | LOST
    assert place.read("new") == version(outcomes.index("done"), 0)


def test_a_counter_that_all_count_up(place, own):
    """Each reads it, and writes it back on the condition that nobody else has."""
    place.put("counter", b"0")

    def count():
        mine = own()
        for _ in range(5):
            while True:
                got = mine.s3.get_object(**mine.at("counter"))
                following = str(int(got["Body"].read()) + 1).encode()
                if outcome(lambda got=got, body=following: mine.put("counter", body, IfMatch=got["ETag"])) == "done":
                    break

    all_at_once(count, count, count)
    assert place.read("counter") == b"15"


def test_who_writes_and_who_deletes(place, own):
    """In the end there is a whole object or none; on the way nothing else is seen."""
    bodies = {version(0, 0), version(1, 0)}

    def write(number):
        for _ in range(ROUNDS):
            own().put("object", version(number, 0))

    def delete():
        for _ in range(ROUNDS):
            place.s3.delete_object(**place.at("object"))

    def read():
        for _ in range(2 * ROUNDS):
            code = outcome(lambda: check(own().read("object")))
            assert code in ("done", "NoSuchKey")

    def check(body):
        assert body in bodies

    all_at_once(lambda: write(0), lambda: write(1), delete, read)
    assert not place.has("object") or place.read("object") in bodies


def test_parts_that_come_at_once_are_all_there(place, own):
    upload = begin(place, "object")

    def put(number):
        answer = own().s3.upload_part(**upload.at, PartNumber=number, Body=bytes([number]) * 5 * 1024 * 1024)
        return number, answer["ETag"]

    parts = all_at_once(*(lambda n=n: put(n) for n in range(1, 6)))
    upload.complete(sorted(parts))
    body = place.read("object")
    assert [body[at * 5 * 1024 * 1024] for at in range(5)] == [1, 2, 3, 4, 5]


def test_listings_have_what_was_there_all_the_time(place, own):
    steady = [f"steady {number}" for number in range(20)]
    for name in steady:
        place.put(name)
    done = threading.Event()

    def disturb():
        try:
            mine = own()
            for number in range(60):
                mine.put(f"steady {number % 20}x")
                mine.s3.delete_object(**mine.at(f"steady {number % 20}x"))
        finally:
            done.set()

    def look():
        mine = own()
        while not done.is_set():
            names = mine.names()
            assert [name for name in names if not name.endswith("x")] == sorted(steady)
            assert len(names) == len(set(names))

    all_at_once(disturb, look)
