"""The AWS CLI's own commands on folders of files. SeaweedFS is not asked: it answers an upload without bytes at once,
after which this client waits for ten seconds each time, as test_http.py shows. moto is, by what is most; each command
takes a second to begin."""

import time
import urllib.request

import pytest

from programs import FILES, in_environment, read_tree, run, write_tree


@pytest.fixture
def aws(store, tmp_path):
    """Runs `aws s3`, in parts from 5 MiB on."""
    config = tmp_path / "config"
    config.write_text(
        f"[default]\nregion = {store.region}\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n"
        "  multipart_threshold = 5MB\n  multipart_chunksize = 5MB\n"
    )
    environment = {**store.environment(), "AWS_CONFIG_FILE": str(config), "AWS_MAX_ATTEMPTS": "1"}

    def aws(*arguments, **more):
        return run(in_environment("aws"), "s3", *arguments, environment=environment, directory=tmp_path, **more)

    return aws


@pytest.fixture
def local(tmp_path):
    return write_tree(tmp_path / "local")


@pytest.fixture
def remote(place):
    return f"s3://{place.bucket}/{place.prefix}"


@pytest.mark.stores("daypass", "person", "moto")
def test_sync_both_ways_and_again(aws, local, remote, place, tmp_path):
    started = time.monotonic()
    aws("sync", local, remote)
    assert place.names() == sorted(FILES, key=str.encode)
    assert aws("sync", local, remote) == ""
    aws("sync", remote, tmp_path / "back")
    assert read_tree(tmp_path / "back") == FILES
    assert aws("sync", remote, tmp_path / "back") == ""
    # Files without bytes once made it wait for ten seconds each.
    assert time.monotonic() - started < 30


@pytest.mark.stores("daypass")
def test_sync_with_deletion(aws, local, remote, place):
    aws("sync", local, remote)
    (local / "note.txt").unlink()
    aws("sync", local, remote, "--delete")
    assert "note.txt" not in place.names()
    assert len(place.names()) == len(FILES) - 1


@pytest.mark.stores("daypass", "person")
def test_cp_mv_and_rm_of_whole_folders(aws, local, remote, place, tmp_path):
    aws("cp", "--recursive", local, remote + "copied/")
    assert place.names("copied/") == sorted(("copied/" + name for name in FILES), key=str.encode)
    aws("mv", "--recursive", remote + "copied/", remote + "moved/")
    assert place.names("copied/") == []
    assert len(place.names("moved/")) == len(FILES)
    aws("cp", "--recursive", remote + "moved/", tmp_path / "back")
    assert read_tree(tmp_path / "back") == FILES
    aws("rm", "--recursive", remote)
    assert place.names() == []


@pytest.mark.stores("daypass")
def test_ls_of_a_folder(aws, local, remote):
    aws("sync", local, remote)
    listed = aws("ls", remote)
    assert "PRE a folder/" in listed
    assert "5 note.txt" in listed
    whole = aws("ls", "--recursive", "--summarize", remote)
    assert f"Total Objects: {len(FILES)}" in whole


@pytest.mark.stores("daypass")
def test_pipes(aws, remote):
    aws("cp", "-", remote + "piped", stdin="through a pipe")
    assert aws("cp", remote + "piped", "-") == "through a pipe"


@pytest.mark.stores("daypass", "person")
def test_presign(aws, remote, place):
    place.put("a b.txt", b"presigned")
    url = aws("presign", remote + "a b.txt").strip()
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == b"presigned"


@pytest.mark.stores("daypass", "moto")
def test_buckets(aws, local):
    aws("mb", "s3://made-by-cli")
    assert "made-by-cli" in aws("ls")
    aws("cp", local / "note.txt", "s3://made-by-cli/")
    aws("rb", "--force", "s3://made-by-cli")
    assert "made-by-cli" not in aws("ls")
