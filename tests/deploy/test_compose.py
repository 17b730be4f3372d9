"""What Compose runs: the file fits the specification, its parts fit together, and nothing but the proxy can be reached. It was run
nowhere: no registry of images is within reach."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions
from conftest import DEPLOY, ROOT
from test_configuration import mistakes, secret_files
from test_proxy import INSIDE, ROUTES

FOLDER = DEPLOY / "compose"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = ["one", "two"]
CONFIG = tomllib.loads((FOLDER / "daypass.toml").read_text())
NGINX = (FOLDER / "nginx.conf").read_text()
LOCATIONS = re.findall(r"^ *location ~ (\S+) \{\n *proxy_pass http://servers;", NGINX, re.MULTILINE)


def test_it_is_a_compose_file() -> None:
    options = PyOptions(apply_merge=True)
    composed = options.from_yaml(TEXT)
    composed.validate()
    assert set(composed.service_names()) == {*SERVERS, "proxy", "database"}


def test_the_configuration_fits() -> None:
    assert mistakes((FOLDER / "daypass.toml").read_text()) == []


def test_every_file_that_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, target = volume.split(":")[:2]
            assert source in COMPOSE["volumes"] or (volume.endswith(":ro") and (FOLDER / source).is_file()), volume
            assert target.startswith("/")
    for server in SERVERS:
        mounted = {Path(volume.split(":")[1]) for volume in SERVICES[server]["volumes"]}
        assert mounted == {Path("/etc/daypass") / name for name in ("daypass.toml", CONFIG["role"][0]["policy"])}


def test_secrets_are_files_that_git_does_not_keep() -> None:
    assert COMPOSE["secrets"] == {name: {"file": f"./secrets/{name}"} for name in COMPOSE["secrets"]}
    assert (FOLDER / ".gitignore").read_text().split() == ["/secrets/"]
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or value in paths(name), variable
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
    page = (ROOT / "docs/self-host.md").read_text()
    assert all(f"secrets/{name}" in page for name in used)


def paths(service: str) -> set[str]:
    return {f"/run/secrets/{name}" for name in SERVICES[service].get("secrets", [])}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_finds_its_secrets_and_the_database(server: str) -> None:
    assert set(secret_files(CONFIG)) == paths(server)
    host = re.match(r"postgres://(\w+)@(\w+)/(\w+)\?", CONFIG["store"]["url"])
    database = SERVICES[host[2]]
    assert (database["environment"]["POSTGRES_USER"], database["environment"]["POSTGRES_DB"]) == (host[1], host[3])
    assert set(database["networks"]) == {"back"} and "back" in SERVICES[server]["networks"]
    assert SERVICES[server]["depends_on"] == {host[2]: {"condition": "service_healthy"}}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_has_no_rights_and_time_to_end(server: str) -> None:
    service = SERVICES[server]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["stop_grace_period"].removesuffix("s")) > 35 + 5


def test_the_proxy_alone_can_be_reached_and_is_believed() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert CONFIG["network"]["trusted_proxies"] == [SERVICES["proxy"]["networks"]["front"]["ipv4_address"]]
    addresses = [SERVICES[name]["networks"]["front"]["ipv4_address"] for name in ("proxy", *SERVERS)]
    assert len(set(addresses)) == 3


def test_what_can_be_asked_is_asked_how_it_is() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == set(SERVICES)
    for server in SERVERS:
        assert SERVICES[server]["healthcheck"]["test"][1:] == ["/usr/local/bin/daypass", "health", "--ready"]
    assert SERVICES["proxy"]["healthcheck"]["test"][-1].endswith("/readyz")


def test_the_proxy_asks_both_servers_and_reads_its_own_secrets() -> None:
    assert set(re.findall(r"^ *server (\w+):9400 ", NGINX, re.MULTILINE)) == set(SERVERS)
    assert set(re.findall(r"/run/secrets/[\w-]+", NGINX)) == paths("proxy")
    assert NGINX.count(" $uri ") == 1 and "$request " not in NGINX and "error_log /dev/stderr crit;" in NGINX
    (patience,) = re.findall(r" keepalive_timeout (\d+)s;", NGINX)
    assert int(patience) < 75


def passes(path: str) -> bool:
    return any(re.search(location, path) for location in LOCATIONS)


@pytest.mark.parametrize("route", ROUTES)
def test_the_proxy_passes_every_path(route: str) -> None:
    assert len(LOCATIONS) == 2
    assert passes(route.replace("{provider}", "snapchat")) == (route not in INSIDE)


@pytest.mark.parametrize("path", ["/metrics", "/x", "/loginx", "/playground/app.js", "//"])
def test_the_proxy_passes_nothing_else(path: str) -> None:
    assert not passes(path)
