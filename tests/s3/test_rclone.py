"""rclone: what it has once carried over it finds unchanged, in both directions."""

import pytest

from programs import FILES, read_tree, run, write_tree


@pytest.fixture
def rclone(store, tmp_path):
    keys = dict(zip(("access_key_id", "secret_access_key", "session_token"), store.keys, strict=False))
    options = {"type": "s3", "provider": "Other", "endpoint": store.url, "region": store.region, **keys}
    environment = {f"RCLONE_CONFIG_STORE_{name.upper()}": value for name, value in options.items()}
    if store.name == "person":
        # Who may not ask for the bucket as a whole.
        environment["RCLONE_S3_NO_CHECK_BUCKET"] = "true"
    # A large file goes up in parts.
    environment |= {"RCLONE_S3_UPLOAD_CUTOFF": "5M", "RCLONE_S3_CHUNK_SIZE": "5M"}
    environment |= {
        "RCLONE_CONFIG": str(tmp_path / "none.conf"),
        "RCLONE_RETRIES": "1",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
    }

    def rclone(*arguments, **more):
        return run("rclone", *arguments, environment=environment, directory=tmp_path, **more)

    return rclone


@pytest.fixture
def local(tmp_path):
    return write_tree(tmp_path / "local")


@pytest.fixture
def remote(place):
    return f"store:{place.bucket}/{place.prefix}".rstrip("/")


def changes(rclone, source, target):
    """What another synchronisation would do."""
    said = rclone("sync", "--dry-run", source, target, status=None)
    return [line for line in said.splitlines() if "Skipped" in line]


def test_sync_both_ways_and_again(rclone, local, remote, place, tmp_path):
    rclone("sync", local, remote)
    assert place.names() == sorted(FILES, key=str.encode)
    assert changes(rclone, local, remote) == []
    rclone("sync", remote, tmp_path / "back")
    assert read_tree(tmp_path / "back") == FILES
    assert changes(rclone, remote, tmp_path / "back") == []
    assert changes(rclone, tmp_path / "back", remote) == []


def test_every_byte_and_every_digest(rclone, local, remote):
    rclone("copy", local, remote)
    rclone("check", local, remote)
    rclone("check", "--download", local, remote)


def test_files_are_moved_renamed_and_removed(rclone, local, remote, place):
    rclone("copy", local, remote)
    rclone("moveto", f"{remote}/note.txt", f"{remote}/renamed.txt")
    rclone("move", f"{remote}/a folder", f"{remote}/another folder")
    names = {name.replace("note", "renamed").replace("a folder", "another folder") for name in FILES}
    assert set(place.names()) == names
    rclone("deletefile", f"{remote}/renamed.txt")
    rclone("purge", f"{remote}/another folder")
    assert sorted(place.names()) == ["also empty", "empty.txt", "large.bin"]


def test_listings(rclone, local, remote):
    rclone("copy", local, remote)
    assert sorted(rclone("lsf", remote).split("\n")) == [
        "",
        "a folder/",
        "also empty",
        "empty.txt",
        "large.bin",
        "note.txt",
    ]
    assert len(rclone("lsf", "-R", "--files-only", remote).splitlines()) == len(FILES)
    assert f"{sum(map(len, FILES.values()))}" in rclone("size", "--json", remote)


def test_a_stream_of_unknown_length(rclone, remote):
    rclone("rcat", f"{remote}/piped", stdin="through a pipe")
    assert rclone("cat", f"{remote}/piped") == "through a pipe"


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_buckets(rclone):
    rclone("mkdir", "store:made-by-rclone")
    assert "made-by-rclone/" in rclone("lsf", "store:").splitlines()
    rclone("rmdir", "store:made-by-rclone")
    assert "made-by-rclone/" not in rclone("lsf", "store:").splitlines()
