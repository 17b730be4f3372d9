"""The proxy that docs/self-host.md tells people to put in front: it passes whatever the server answers to strangers."""

import re

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs/self-host.md").read_text()
LOCATIONS = re.findall(r"^ *location ~ (\S+) \{\n *proxy_pass http://127\.0\.0\.1:9400;", PAGE, re.MULTILINE)
ROUTES = re.findall(r"\.route\(\s*\"([^\"]+)\"", (ROOT / "crates/server/src/routes.rs").read_text())
# Whoever collects metrics is on the inside.
INSIDE = {"/metrics"}


def passes(path: str) -> bool:
    return any(re.search(location, path) for location in LOCATIONS)


def test_there_are_routes_and_locations() -> None:
    assert len(ROUTES) > 10 and len(LOCATIONS) == 2


@pytest.mark.parametrize("route", ROUTES)
def test_every_path_is_passed(route: str) -> None:
    assert passes(route.replace("{provider}", "snapchat")) == (route not in INSIDE)


@pytest.mark.parametrize("path", ["/metrics", "/x", "/.well-known/acme-challenge/x", "/loginx", "/playground/app.js", "//"])
def test_nothing_else_is(path: str) -> None:
    assert not passes(path)
