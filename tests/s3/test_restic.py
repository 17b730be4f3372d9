"""restic keeps a backup in the bucket, reads all of it, and restores it."""

import pytest

from programs import FILES, read_tree, run, write_tree

# It asks whether there is a bucket, and would make one, which a person may not.
pytestmark = pytest.mark.stores("daypass", "moto")


@pytest.fixture
def restic(store, place, tmp_path):
    environment = {
        **store.environment(),
        "RESTIC_REPOSITORY": f"s3:{store.url}/{place.bucket}/{place.prefix}repository",
        "RESTIC_PASSWORD": "of the tests",
        "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
    }

    def restic(*arguments, **more):
        return run("restic", *arguments, environment=environment, directory=tmp_path, **more)

    return restic


def test_a_backup_comes_back(restic, tmp_path):
    local = write_tree(tmp_path / "local")
    restic("init")
    restic("backup", "local")
    write_tree(local, {"later.txt": b"later"})
    restic("backup", "local")
    assert "no errors were found" in restic("check", "--read-data")
    restic("restore", "latest", "--target", tmp_path / "back")
    assert read_tree(tmp_path / "back/local") == {**FILES, "later.txt": b"later"}
    restic("forget", "--keep-last", "1", "--prune")
    assert "no errors were found" in restic("check", "--read-data")
    assert "note.txt" in restic("ls", "latest")
