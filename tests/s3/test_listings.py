"""Listings of objects, of both versions: order, pages, delimiters, encodings."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote_plus

import pytest

from answers import assert_refused, refused
from listing import Listing
from wire import Wire

TREE = ["a", "a/1", "a/2", "a/b/3", "b--1", "b--2", "c", "d/4", "ü1ü2", "z"]


@pytest.fixture(params=[1, 2], ids=["V1", "V2"])
def listing(request, place):
    return Listing(place, request.param)


@pytest.fixture
def tree(place):
    for name in TREE:
        place.put(name, name.encode())


def test_everything_in_the_order_of_its_bytes(listing, place):
    names = ["A", "B", "a", "a!", "a/", "a/b", "a0", "aa", "e\u0301", "z", "~", "é", "ﬁ", "\uffee", "𐀀", "🦭"]
    for name in reversed(names):
        place.put(name)
    assert listing.whole() == (names, [])
    assert listing.whole(MaxKeys=3) == (names, [])


def test_nothing(listing):
    answer = listing.ask("nothing/")
    assert "Contents" not in answer
    assert "CommonPrefixes" not in answer
    assert answer["IsTruncated"] is False
    assert answer.get("KeyCount", 0) == 0


def test_an_entry_says_what_an_object_is(listing, place):
    put = place.put("object", b"content")
    (entry,) = listing.ask()["Contents"]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == (place.key("object"), 7, "STANDARD")
    assert entry["ETag"] == put["ETag"] == '"9a0364b9e99bb480dd25e1f0284c8555"'
    assert entry["LastModified"] == place.head("object")["LastModified"].replace(
        microsecond=entry["LastModified"].microsecond
    )


def test_the_owner_is_told_to_who_asks_for_it(place):
    place.put("object")
    (first,) = Listing(place, 1).ask()["Contents"]
    (asked,) = Listing(place, 2).ask(FetchOwner=True)["Contents"]
    (unasked,) = Listing(place, 2).ask()["Contents"]
    assert first["Owner"]["ID"] == asked["Owner"]["ID"]
    assert asked["Owner"]["ID"]
    assert "Owner" not in unasked


def test_what_was_asked_is_repeated(listing, place):
    answer = listing.ask("a", Delimiter="/", MaxKeys=7)
    # Of the first version, botocore leaves the prefix as encoded as it has asked for it.
    assert (answer["Name"], unquote_plus(answer["Prefix"])) == (place.bucket, place.key("a"))
    assert (answer["Delimiter"], answer["MaxKeys"]) == ("/", 7)


@pytest.mark.parametrize(
    ("delimiter", "keys", "prefixes"),
    [
        ("/", ["a", "b--1", "b--2", "c", "z", "ü1ü2"], ["a/", "d/"]),
        ("--", ["a", "a/1", "a/2", "a/b/3", "c", "d/4", "z", "ü1ü2"], ["b--"]),
        ("ü", ["a", "a/1", "a/2", "a/b/3", "b--1", "b--2", "c", "d/4", "z"], ["ü"]),
        ("1ü", ["a", "a/1", "a/2", "a/b/3", "b--1", "b--2", "c", "d/4", "z"], ["ü1ü"]),
        ("/b/", ["a", "a/1", "a/2", "b--1", "b--2", "c", "d/4", "z", "ü1ü2"], ["a/b/"]),
        ("🦭", ["a", "a/1", "a/2", "a/b/3", "b--1", "b--2", "c", "d/4", "z", "ü1ü2"], []),
    ],
)
def test_a_delimiter_of_any_characters(listing, tree, delimiter, keys, prefixes):
    assert listing.whole(Delimiter=delimiter) == (keys, prefixes)
    together = [listing.entries(answer) for answer in listing.pages(Delimiter=delimiter, MaxKeys=2)]
    assert all(len(page[0]) + len(page[1]) <= 2 for page in together)
    assert [sum(part, []) for part in zip(*together, strict=True)] == [keys, prefixes]


def test_an_empty_delimiter_is_none(wire, place, tree):
    for version in ({}, {"list-type": 2}):
        query = {**version, "prefix": place.prefix, "delimiter": ""}
        answer = wire.get(None, query=query)
        assert answer.status == 200
        assert len(answer.texts("Contents")) == len(TREE)
        assert answer.texts("CommonPrefixes") == []


@pytest.mark.parametrize("prefix", ["a", "a/", "a/b", "ü", "b--", "zz"])
def test_a_prefix_within_a_name(listing, tree, prefix):
    found = [name for name in sorted(TREE, key=str.encode) if name.startswith(prefix)]
    assert listing.entries(listing.ask(prefix)) == (found, [])


def test_a_delimiter_counts_behind_the_prefix(listing, tree):
    assert listing.entries(listing.ask("a/", Delimiter="/")) == (["a/1", "a/2"], ["a/b/"])
    assert listing.entries(listing.ask("a", Delimiter="/")) == (["a"], ["a/"])
    assert listing.entries(listing.ask("b-", Delimiter="-")) == ([], ["b--"])


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 11])
def test_pages_of_any_size_have_everything_once(listing, tree, size):
    expected = sorted(TREE, key=str.encode)
    pages = list(listing.pages(MaxKeys=size))
    assert [name for page in pages for name in listing.entries(page)[0]] == expected
    assert len(pages) == -(-len(TREE) // size)
    assert all(page.get("KeyCount", len(page["Contents"])) == len(page["Contents"]) for page in pages)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_common_prefix_counts_as_one_and_comes_once(listing, tree, size):
    together = [listing.entries(answer) for answer in listing.pages(Delimiter="/", MaxKeys=size)]
    assert all(len(keys) + len(prefixes) <= size for keys, prefixes in together)
    assert [name for _, prefixes in together for name in prefixes] == ["a/", "d/"]


def test_no_keys_at_all(listing, tree):
    answer = listing.ask(MaxKeys=0)
    assert listing.entries(answer) == ([], [])
    assert answer["IsTruncated"] is False


@pytest.mark.parametrize("size", ["-1", "many", "1.5", "99999999999999999999"])
@pytest.mark.parametrize("version", [{}, {"list-type": 2}], ids=["V1", "V2"])
def test_a_size_that_is_none(wire, place, size, version):
    assert_refused(wire.get(None, query={**version, "prefix": place.prefix, "max-keys": size}), "InvalidArgument")


def test_a_page_has_at_most_a_thousand(wire, place):
    answer = wire.get(None, query={"list-type": 2, "prefix": place.prefix, "max-keys": 5000})
    assert answer.texts("MaxKeys") == ["1000"]


@pytest.mark.parametrize("name", ["", "a", "a/", "a/1", "a/2x", "b", "c", "z", "ü", "ü1ü2", "🦭"])
def test_what_stands_behind_a_name(listing, tree, name):
    expected = [entry for entry in sorted(TREE, key=str.encode) if entry.encode() > name.encode()]
    if name:
        assert listing.entries(listing.ask(**listing.after(name))) == (expected, [])
    answer = listing.ask(**listing.after(name), MaxKeys=2)
    assert listing.entries(answer)[0] == expected[:2]


@pytest.mark.parametrize("name", ["a/1", "a/9", "b"])
def test_a_beginning_within_a_common_prefix(listing, tree, name):
    """Whether the common prefix comes once more, S3's documentation does not say; everything behind it does."""
    keys, prefixes = listing.entries(listing.ask(Delimiter="/", **listing.after(name)))
    assert prefixes in (["a/", "d/"], ["d/"])
    assert prefixes == ["d/"] or name != "b"
    assert keys == [entry for entry in ["a", "b--1", "b--2", "c", "z", "ü1ü2"] if entry.encode() > name.encode()]


def test_a_beginning_at_a_common_prefix_leaves_it_out_in_the_first_version(place, tree):
    """Its markers are what pages end with, and so is a common prefix."""
    listing = Listing(place, 1)
    assert listing.entries(listing.ask(Delimiter="/", **listing.after("a/")))[1] == ["d/"]


def test_the_next_marker_is_there_beside_a_delimiter_only(place, tree):
    listing = Listing(place, 1)
    assert "NextMarker" not in listing.ask(MaxKeys=2)
    assert listing.ask(MaxKeys=2, Delimiter="/")["NextMarker"] == place.key("a/")
    assert "NextMarker" not in listing.ask(Delimiter="/")


def test_pages_go_on_whatever_happens_between(s3, place, tree):
    """A token leads on when the key where it stands is gone, and others have come."""
    listing = Listing(place, 2)
    first = listing.ask(MaxKeys=3)
    for name in ("a/2", "a/b/3"):
        s3.delete_object(**place.at(name))
    place.put("a/0")
    place.put("a/zz")
    assert listing.entries(listing.ask(**listing.next(first)))[0] == ["a/zz", "b--1", "b--2", "c", "d/4", "z", "ü1ü2"]


def test_a_token_counts_before_a_beginning(place, tree):
    listing = Listing(place, 2)
    token = listing.next(listing.ask(MaxKeys=6))
    answer = listing.ask(**token, **listing.after("a/1"))
    assert listing.entries(answer)[0] == ["c", "d/4", "z", "ü1ü2"]


@pytest.mark.parametrize("token", ["", "x", "AAAA", "../..", "ü"])
def test_a_token_that_is_none(place, tree, token):
    with refused("InvalidArgument", status=400):
        Listing(place, 2).ask(ContinuationToken=token)


ODD = ["a b", "a+b", "a&<>\"'b", "a%41", "ü/日", "tab\there", "control\x01", " spaces ", "line\nline", "~"]


@pytest.mark.parametrize("version", [{}, {"list-type": 2}], ids=["V1", "V2"])
def test_an_encoded_listing_says_so_and_is(wire, place, version):
    for name in ODD:
        assert wire.put(place.key(name)).status == 200
    query = {**version, "encoding-type": "url", "prefix": place.prefix, "delimiter": "+"}
    answer = wire.get(None, query=query | ({"start-after": place.prefix} if version else {"marker": place.prefix}))
    assert answer.texts("EncodingType") == ["url"]
    keys = answer.texts("Contents/Key") + answer.texts("CommonPrefixes/Prefix")
    assert all(key.isascii() and key.isprintable() and " " not in key for key in keys), keys
    assert sorted(unquote_plus(key) for key in keys) == sorted(place.key(n).replace("a+b", "a+") for n in ODD)
    assert unquote_plus(answer.texts("Prefix")[0]) == place.prefix
    assert answer.texts("Delimiter") == ["%2B"]
    assert all("%2F" not in key for key in keys)


@pytest.mark.parametrize("version", [{}, {"list-type": 2}], ids=["V1", "V2"])
def test_a_listing_that_is_not_encoded(wire, place, version):
    names = [name for name in ODD if name.isprintable()]
    for name in names:
        place.put(name)
    answer = wire.get(None, query={**version, "prefix": place.prefix})
    assert answer.texts("EncodingType") == []
    assert answer.texts("Contents/Key") == sorted((place.key(name) for name in names), key=str.encode)


@pytest.mark.parametrize("version", [{}, {"list-type": 2}], ids=["V1", "V2"])
def test_another_encoding(wire, place, version):
    answer = wire.get(None, query={**version, "prefix": place.prefix, "encoding-type": "base64"})
    assert_refused(answer, "InvalidArgument")


def test_what_is_stored_or_gone_is_listed_so_at_once(s3, place):
    for number in range(20):
        place.put(str(number))
        assert str(number) in place.names()
        s3.delete_object(**place.at(str(number)))
        assert place.names() == []


@pytest.mark.stores("daypass")
def test_ten_thousand_objects_page_by_page(store, place, wire):
    """Four put them at a time."""
    names = [f"{number:05}" for number in range(10_000)]

    def put(some):
        with Wire(store) as own:
            for name in some:
                assert own.put(place.key(name)).status == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, (names[start::4] for start in range(4))))
    assert place.names() == names
    assert Listing(place, 1).whole(MaxKeys=999) == (names, [])
    assert len(Listing(place, 2).ask(MaxKeys=5000)["Contents"]) == 1000
