"""What people who analyse data use: tables written to the store and read from it, in part and as a whole."""

import urllib.request
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import duckdb_extension_httpfs
import fsspec
import obstore
import opendal
import pandas
import polars
import pyarrow
import pytest
from obstore.store import S3Store
from pyarrow import dataset, fs, parquet

TABLE = {"id": list(range(10_000)), "name": [f"näme {number % 100}" for number in range(10_000)]}

# DuckDB would fetch it from its own hub.
EXTENSION = next(Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))


@pytest.fixture
def url(place):
    return f"s3://{place.bucket}/{place.prefix}"


class TestPandas:
    """pandas and everything else that goes by way of fsspec and s3fs."""

    @pytest.fixture
    def options(self, store):
        keys = dict(zip(("key", "secret", "token"), store.keys, strict=False))
        config = {"region_name": store.region}
        return {**keys, "endpoint_url": store.url, "client_kwargs": config, "skip_instance_cache": True}

    @pytest.fixture
    def files(self, options):
        return fsspec.filesystem("s3", **options)

    @pytest.fixture
    def root(self, url):
        return url.removeprefix("s3://")

    def test_tables(self, url, options):
        table = pandas.DataFrame(TABLE)
        table.to_parquet(url + "table.parquet", storage_options=options)
        table.to_csv(url + "table.csv", index=False, storage_options=options)
        assert pandas.read_parquet(url + "table.parquet", storage_options=options).equals(table)
        assert pandas.read_parquet(url + "table.parquet", columns=["id"], storage_options=options).shape == (10_000, 1)
        assert pandas.read_csv(url + "table.csv", storage_options=options).equals(table)

    def test_files_and_folders(self, files, root):
        files.pipe({root + "a/b/one": b"1", root + "a/two": b"22"})
        assert sorted(files.ls(root + "a", detail=False)) == [root + "a/b", root + "a/two"]
        assert sorted(files.find(root)) == [root + "a/b/one", root + "a/two"]
        assert files.isdir(root + "a")
        assert files.isfile(root + "a/two")
        assert not files.exists(root + "nothing")
        assert files.info(root + "a/two")["size"] == 2
        files.mv(root + "a/two", root + "a/three")
        files.copy(root + "a/three", root + "a/four")
        assert sorted(files.glob(root + "a/*r*")) == [root + "a/four", root + "a/three"]
        files.rm(root + "a", recursive=True)
        assert files.find(root) == []

    def test_large_files_and_parts_of_them(self, files, root):
        body = bytes(range(250)) * 30_000
        with files.open(root + "large", "wb", block_size=5 * 1024 * 1024) as file:
            file.write(body)
        assert files.cat_file(root + "large", start=1000, end=1010) == body[1000:1010]
        assert files.tail(root + "large", 10) == body[-10:]
        with files.open(root + "large", "rb") as file:
            file.seek(5_000_000)
            assert file.read(100) == body[5_000_000:5_000_100]
        files.pipe(root + "empty", b"")
        files.touch(root + "touched")
        assert (files.size(root + "empty"), files.size(root + "touched")) == (0, 0)


class TestPyArrow:
    @pytest.fixture
    def files(self, store):
        keys = dict(zip(("access_key", "secret_key", "session_token"), store.keys, strict=False))
        address = urlsplit(store.url)
        return fs.S3FileSystem(
            **keys, endpoint_override=address.netloc, scheme="http", region=store.region, background_writes=False
        )

    @pytest.fixture
    def root(self, url):
        return url.removeprefix("s3://").rstrip("/")

    def test_a_dataset_in_parts(self, files, root):
        table = pyarrow.table({**TABLE, "part": [number % 3 for number in range(10_000)]})
        # To make a folder it asks for the bucket, which a person may not.
        how = {"format": "parquet", "partitioning": ["part"], "partitioning_flavor": "hive", "create_dir": False}
        dataset.write_dataset(table, f"{root}/data", filesystem=files, **how)
        found = dataset.dataset(f"{root}/data", filesystem=files, format="parquet", partitioning="hive")
        assert len(found.files) == 3
        assert found.count_rows() == 10_000
        some = found.to_table(columns=["id"], filter=dataset.field("part") == 1)
        assert sorted(some["id"].to_pylist()) == list(range(1, 10_000, 3))

    @pytest.mark.stores("daypass", "moto", "seaweedfs")
    def test_files_and_folders(self, files, root):
        files.create_dir(f"{root}/made/deep")
        with files.open_output_stream(f"{root}/made/deep/file") as stream:
            stream.write(b"content")
        info = {
            entry.base_name: entry.type
            for entry in files.get_file_info(fs.FileSelector(f"{root}/made", recursive=True))
        }
        assert info == {"deep": fs.FileType.Directory, "file": fs.FileType.File}
        assert files.get_file_info(f"{root}/nothing").type == fs.FileType.NotFound
        files.copy_file(f"{root}/made/deep/file", f"{root}/made/copy")
        files.move(f"{root}/made/copy", f"{root}/made/moved")
        with files.open_input_file(f"{root}/made/moved") as file:
            assert file.read_at(3, 2) == b"nte"
        files.delete_dir_contents(f"{root}/made")
        assert files.get_file_info(fs.FileSelector(f"{root}/made")) == []

    def test_a_large_stream(self, files, root):
        body = bytes(range(256)) * 50_000
        with files.open_output_stream(f"{root}/large") as stream:
            stream.write(body)
        with files.open_input_stream(f"{root}/large") as stream:
            assert stream.read() == body

    def test_a_file_of_parquet_by_its_pages(self, files, root):
        parquet.write_table(pyarrow.table(TABLE), f"{root}/t.parquet", filesystem=files, row_group_size=1000)
        with parquet.ParquetFile(f"{root}/t.parquet", filesystem=files) as file:
            assert file.read_row_group(9).num_rows == 1000


class TestPolars:
    @pytest.fixture
    def options(self, store):
        keys = dict(zip(("access_key_id", "secret_access_key", "session_token"), store.keys, strict=False))
        return {f"aws_{name}": value for name, value in keys.items()} | {
            "aws_endpoint_url": store.url,
            "aws_region": store.region,
            "aws_allow_http": "true",
        }

    def test_tables(self, url, options):
        table = polars.DataFrame(TABLE)
        for part in range(3):
            table.slice(part * 3000, 3000).write_parquet(f"{url}table/{part}.parquet", storage_options=options)
        lazy = polars.scan_parquet(f"{url}table/*.parquet", storage_options=options)
        assert lazy.select(polars.len()).collect().item() == 9000
        assert lazy.filter(polars.col("id") == 4321).collect()["name"].to_list() == ["näme 21"]
        table.lazy().sink_parquet(f"{url}sunk.parquet", storage_options=options)
        assert polars.read_parquet(f"{url}sunk.parquet", storage_options=options).equals(table)


class TestDuckDb:
    @pytest.fixture
    def database(self, store):
        with duckdb.connect() as database:
            database.load_extension(str(EXTENSION))
            secret = {
                "KEY_ID": store.keys[0],
                "SECRET": store.keys[1],
                "REGION": store.region,
                "ENDPOINT": urlsplit(store.url).netloc,
                "URL_STYLE": "path",
            }
            if len(store.keys) > 2:
                secret["SESSION_TOKEN"] = store.keys[2]
            words = ", ".join(f"{name} '{value}'" for name, value in secret.items())
            database.execute(f"CREATE SECRET (TYPE s3, USE_SSL false, {words})")
            yield database

    def test_tables(self, url, database):
        database.execute(f"COPY (SELECT range AS id, range % 3 AS part FROM range(10000)) TO '{url}t.parquet'")
        assert database.sql(f"SELECT count(*), sum(id) FROM '{url}t.parquet'").fetchone() == (10_000, 49_995_000)
        database.execute(f"COPY (SELECT * FROM '{url}t.parquet') TO '{url}parts' (FORMAT parquet, PARTITION_BY (part))")
        assert database.sql(f"SELECT count(*) FROM '{url}parts/*/*.parquet' WHERE part = 1").fetchone() == (3333,)
        assert database.sql(f"SELECT count(*) FROM glob('{url}**')").fetchone() == (4,)
        database.execute(f"COPY (SELECT 1 AS x) TO '{url}a b+ü.csv'")
        assert database.sql(f"SELECT x FROM '{url}a b+ü.csv'").fetchone() == (1,)


class TestOpenDal:
    @pytest.fixture
    def operator(self, store, place):
        keys = dict(zip(("access_key_id", "secret_access_key", "session_token"), store.keys, strict=False))
        return opendal.Operator(
            "s3", bucket=place.bucket, root="/" + place.prefix, endpoint=store.url, region=store.region, **keys
        )

    def test_files_and_folders(self, operator):
        operator.create_dir("dir/")
        operator.write("dir/a b+ü.txt", b"content")
        operator.write("dir/sub/file", b"")
        assert operator.read("dir/a b+ü.txt") == b"content"
        assert operator.stat("dir/a b+ü.txt").content_length == 7
        assert operator.stat("dir/").mode.is_dir()
        assert sorted(entry.path for entry in operator.list("dir/")) == ["dir/", "dir/a b+ü.txt", "dir/sub/"]
        operator.copy("dir/a b+ü.txt", "copy")
        assert operator.exists("copy")
        operator.delete("copy")
        assert not operator.exists("copy")
        operator.remove_all("dir/")
        assert list(operator.scan("")) == []

    def test_a_large_file(self, operator):
        body = bytes(range(256)) * 50_000
        with operator.open("large", "wb", chunk=5 * 1024 * 1024) as file:
            file.write(body)
        with operator.open("large", "rb") as file:
            file.seek(1000)
            assert file.read(10) == body[1000:1010]
        assert operator.read("large") == body


class TestObjectStore:
    """The Rust crate `object_store`, by its Python binding."""

    @pytest.fixture
    def store_(self, store, place):
        keys = dict(zip(("access_key_id", "secret_access_key", "session_token"), store.keys, strict=False))
        options = {"allow_http": True}
        return S3Store(
            place.bucket, prefix=place.prefix, endpoint=store.url, region=store.region, client_options=options, **keys
        )

    def test_objects(self, store_):
        obstore.put(store_, "a/b ü+.txt", b"content")
        obstore.put(store_, "a/b/c", b"c")
        assert obstore.get(store_, "a/b ü+.txt").bytes() == b"content"
        assert bytes(obstore.get_range(store_, "a/b ü+.txt", start=1, end=3)) == b"on"
        assert [bytes(part) for part in obstore.get_ranges(store_, "a/b ü+.txt", starts=[0, 5], ends=[1, 7])] == [
            b"c",
            b"nt",
        ]
        assert obstore.get(store_, "a/b ü+.txt", options={"range": {"suffix": 100}}).bytes() == b"content"
        listed = obstore.list_with_delimiter(store_, "a")
        assert [entry["path"] for entry in listed["objects"]] == ["a/b ü+.txt"]
        assert listed["common_prefixes"] == ["a/b"]
        obstore.copy(store_, "a/b/c", "copy")
        obstore.rename(store_, "copy", "renamed")
        obstore.delete(store_, ["a/b ü+.txt", "a/b/c", "renamed"])
        assert [entry for page in obstore.list(store_) for entry in page] == []

    def test_conditions(self, store_):
        first = obstore.put(store_, "object", b"1", mode="create")
        with pytest.raises(obstore.exceptions.AlreadyExistsError):
            obstore.put(store_, "object", b"2", mode="create")
        obstore.put(store_, "object", b"2", mode={"e_tag": first["e_tag"]})
        with pytest.raises(obstore.exceptions.PreconditionError):
            obstore.put(store_, "object", b"3", mode={"e_tag": first["e_tag"]})
        meta = obstore.head(store_, "object")
        with pytest.raises(obstore.exceptions.NotModifiedError):
            obstore.get(store_, "object", options={"if_none_match": meta["e_tag"]})
        assert obstore.get(store_, "object").bytes() == b"2"

    def test_a_large_object(self, store_):
        body = bytes(range(256)) * 50_000
        obstore.put(store_, "large", body, use_multipart=True, chunk_size=5 * 1024 * 1024)
        assert obstore.get(store_, "large").bytes() == body

    def test_a_signed_address(self, store_):
        obstore.put(store_, "a b.txt", b"signed")
        url = obstore.sign(store_, "GET", "a b.txt", timedelta(minutes=1))
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.read() == b"signed"
