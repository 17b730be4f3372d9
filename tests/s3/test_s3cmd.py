"""s3cmd, with its own reading of listings and its own signatures."""

from urllib.parse import urlsplit

import pytest

from programs import FILES, read_tree, run, write_tree


@pytest.fixture
def s3cmd(store, tmp_path):
    host = urlsplit(store.url).netloc
    options = {
        "host_base": host,
        "host_bucket": host,
        "use_https": "False",
        "bucket_location": store.region,
        "access_key": store.keys[0],
        "secret_key": store.keys[1],
        "access_token": store.keys[2] if len(store.keys) > 2 else "",
        "multipart_chunk_size_mb": "5",
        "max_retries": "1",
    }
    config = tmp_path / "s3cfg"
    config.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))

    def s3cmd(*arguments, **more):
        return run(
            "s3cmd", f"--config={config}", "--no-progress", *arguments, environment={}, directory=tmp_path, **more
        )

    return s3cmd


@pytest.fixture
def local(tmp_path):
    return write_tree(tmp_path / "local")


@pytest.fixture
def remote(place):
    return f"s3://{place.bucket}/{place.prefix}"


def test_sync_both_ways_and_again(s3cmd, local, remote, place, tmp_path):
    s3cmd("sync", f"{local}/", remote)
    assert place.names() == sorted(FILES, key=str.encode)
    assert "upload:" not in s3cmd("sync", f"{local}/", remote)
    (tmp_path / "back").mkdir()
    s3cmd("sync", remote, f"{tmp_path}/back/")
    assert read_tree(tmp_path / "back") == FILES


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_put_ls_info_cp_mv_and_del(s3cmd, local, remote, place):
    """Its copies take the ACL with them, which a person may not ask for."""
    s3cmd("put", local / "large.bin", remote + "large.bin")
    s3cmd("put", local / "note.txt", remote + "ü/note.txt")
    assert f"{len(FILES['large.bin'])}" in s3cmd("ls", remote)
    assert "DIR" in s3cmd("ls", remote)
    s3cmd("cp", remote + "ü/note.txt", remote + "copy.txt")
    s3cmd("mv", remote + "copy.txt", remote + "moved.txt")
    assert s3cmd("get", remote + "moved.txt", "-").endswith("hello")
    assert place.names() == ["large.bin", "moved.txt", "ü/note.txt"]
    s3cmd("del", "--recursive", "--force", remote)
    assert place.names() == []


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_info_and_buckets(s3cmd, local):
    s3cmd("mb", "s3://made-by-s3cmd")
    s3cmd("put", local / "note.txt", "s3://made-by-s3cmd/note.txt")
    assert "5d41402abc4b2a76b9719d911017c592" in s3cmd("info", "s3://made-by-s3cmd/note.txt")
    assert "s3://made-by-s3cmd" in s3cmd("ls")
    s3cmd("rb", "--recursive", "--force", "s3://made-by-s3cmd")
    assert "s3://made-by-s3cmd" not in s3cmd("ls")
