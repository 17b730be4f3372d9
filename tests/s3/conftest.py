"""Every test gets a store, a folder in it that is its own, and the clients that ask it."""

import itertools

import pytest
from _pytest.runner import runtestprotocol
from xdist.scheduler import LoadScopeScheduling

import known
import stores
from place import Place
from wire import Wire

pytest_plugins = ["support.fixtures"]

_numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true", help="write the documents that tests compare, as `gen` does")


def pytest_generate_tests(metafunc):
    if "store" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("stores")
        names = marker.args if marker else stores.NAMES
        metafunc.parametrize("store", names, indirect=True, scope="session")


class ByStore(LoadScopeScheduling):
    """Several processes run these tests, and each store is asked by one of them."""

    def _split_scope(self, nodeid):
        case = nodeid.partition("[")[2].rstrip("]").split("-")
        return next((name for name in stores.NAMES if name in case), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByStore(config, log)


def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "callspec") and "store" in item.callspec.params:
            known.mark(item, item.callspec.params["store"])


@pytest.fixture(scope="session")
def store(request, tmp_path_factory):
    with stores.running(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def s3(store):
    return store.client()


@pytest.fixture
def wire(store):
    with Wire(store) as wire:
        yield wire


@pytest.fixture
def place(store):
    """A folder where nobody else is."""
    return Place(store.client(), store.bucket, f"{store.prefix}{next(_numbers)}/")


@pytest.fixture
def bucket(store):
    """A bucket of the test's own, empty and gone afterwards."""
    s3, name = store.client(), f"bucket-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    yield name
    Place(s3, name, "").clear()
    s3.delete_bucket(Bucket=name)


OTHERS = {"moto", "seaweedfs"}


def pytest_runtest_protocol(item, nextitem):
    """What another store does now and then proves nothing of the scripts, nor of Daypass: it is asked up to three times."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("store") not in OTHERS:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports):
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
