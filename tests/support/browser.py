"""What a browser does between an app and the sandbox's consent page: follows redirects and keeps cookies. The person in
front of it picks themselves and allows everything that is asked for."""

from urllib.parse import parse_qsl, urljoin, urlsplit

from support.login import HTTP, post_form

MANY = 10


class Browser:
    """A browser of one person."""

    def __init__(self, person):
        self.person, self._cookies = person, {}

    def open(self, address):
        """Goes wherever an address leads, and answers the page at its end: its address, its status and its text."""
        for _ in range(MANY):
            answer = self._ask(address)
            if answer.status not in (302, 303):
                return address, answer.status, answer.data.decode()
            address = urljoin(address, answer.headers["Location"])
        raise AssertionError(f"this does not end: {address}")

    def address_after_login(self, address):
        """Goes from an app's address to the one that the app is told the outcome at, which is not opened."""
        for _ in range(MANY):
            answer = self._ask(address)
            assert answer.status in (302, 303), answer.data
            following = urljoin(address, answer.headers["Location"])
            if urlsplit(address).path.endswith("/callback"):
                return following
            address = following
        raise AssertionError(f"this does not end: {address}")

    def _ask(self, address):
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        answer = HTTP.request("GET", address, headers={"Cookie": cookie} if cookie else {}, redirect=False)
        if answer.status == 200 and urlsplit(address).path == "/accounts/oauth2/auth":
            answer = self._consent(address)
        for set_cookie in answer.headers.getlist("Set-Cookie"):
            name, _, value = set_cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return answer

    def _consent(self, address):
        asked = parse_qsl(urlsplit(address).query)
        shared = [("share", scope) for scope in dict(asked)["scope"].split(" ")]
        return post_form(address.split("?")[0], [*asked, ("person", self.person), ("decision", "allow"), *shared])
