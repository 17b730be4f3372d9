"""A function that cannot start says why, and ends."""

import pytest

from function import Function, lay_out


def start_error(directory, **environment):
    """What the function told Lambda."""
    function = Function(directory, **environment)
    assert function.end() == 1, function.log.read_text()
    kind, error = function.api.start_error
    assert kind == error["errorType"] == "Daypass.CannotStart"
    assert not function.api.asked.is_set(), "it has asked for an event all the same"
    return error["errorMessage"]


def change(directory, before, after):
    file = directory / "daypass.toml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


@pytest.fixture
def directory(tmp_path):
    return lay_out(tmp_path)


def test_without_a_configuration(directory):
    (directory / "daypass.toml").unlink()
    assert "daypass.toml" in start_error(directory)


def test_with_a_mistake_in_the_configuration(directory):
    change(directory, "[store]", "colour = 1\n[store]")
    assert "colour" in start_error(directory)


def test_with_a_provider_that_is_not_there(directory):
    change(directory, 'id = "snapchat"', 'id = "snapchatt"')
    assert "snapchatt" in start_error(directory)


def test_with_a_store_that_no_two_instances_share(directory):
    change(directory, '"memory:"', '"sqlite:daypass.db"')
    assert "instances of a function share no disk" in start_error(directory)


def test_without_a_secret(directory):
    assert "CLIENT_SECRET" in start_error(directory, CLIENT_SECRET="")


def test_with_a_master_key_that_is_none(directory):
    said = start_error(directory, MASTER_KEY="hunter2")
    assert "openssl rand -base64 32" in said and "hunter2" not in said


def test_with_a_secret_that_aws_cannot_be_asked_for(directory):
    change(directory, '{ env = "CLIENT_SECRET" }', '{ ssm = "/daypass/snap" }')
    said = start_error(
        directory,
        AWS_ENDPOINT_URL_SSM="http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY="hunter2",
    )
    assert '[[provider]] id = "snapchat": client_secret: ' in said and "cannot be reached" in said
    assert "hunter2" not in said and "/daypass/snap" not in said
