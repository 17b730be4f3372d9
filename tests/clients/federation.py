"""A `daypass up --config` that knows more than `up` does by itself: issuers on loopback, and two more roles. Its pool
takes guests and the logins of all of them."""

import json

from issuer import CLIENT, Issuer, UserPool
from support import aws
from support.login import Person
from support.server import Daypass

BUCKET = "arn:aws:s3:::daypass-demo"
# The roles, and which objects each may read and write.
ROLES = {"editor": "public/*", "member": "teams/${aws:PrincipalTag/team}/*"}


def write_config(directory, issuers, user_pool):
    """A file for `--config`, with the policies of its roles beside it."""
    tables = [table("oidc_provider", arn=issuer.arn, issuer=issuer.url, audiences=[CLIENT]) for issuer in issuers]
    tables.append(table("user_pool", name=user_pool.NAME, issuer=user_pool.url))
    for name, objects in ROLES.items():
        allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/{objects}"}
        (directory / f"{name}.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
        tables.append(table("role", name=name, policy=f"{name}.json"))
    file = directory / "more.toml"
    file.write_text("\n".join(tables))
    return file


def table(heading, /, **keys):
    """Of the values that stand here, TOML and JSON have the same form."""
    return "\n".join([f"[[{heading}]]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""])


class Federation:
    """The server, its issuers, one of which is `gone`, and what tests do with all of them."""

    def __init__(self, directory):
        self.issuer, self.other, self.rotating, self.gone = Issuer(), Issuer("ES256"), Issuer(), Issuer()
        self.gone.stop()
        self.user_pool = UserPool()
        self.oidc = [self.issuer, self.other, self.rotating, self.gone]
        self._directory = directory
        self._config = write_config(directory, self.oidc, self.user_pool)
        self.start()
        self.pools.update_identity_pool(
            IdentityPoolId=self.pool_id,
            IdentityPoolName="federation",
            AllowUnauthenticatedIdentities=True,
            OpenIdConnectProviderARNs=[issuer.arn for issuer in self.oidc],
            CognitoIdentityProviders=[{"ProviderName": UserPool.NAME, "ClientId": UserPool.CLIENT}],
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daypass.stop()
        for issuer in (self.issuer, self.other, self.rotating, self.user_pool):
            issuer.stop()

    def start(self, port=0):
        self.daypass = Daypass(self._directory / "state", port, self._config)
        self.pools = aws.developer(self.daypass, "cognito-identity")
        self.public = aws.anonymous(self.daypass, "cognito-identity")
        self.pool_id = self.daypass.identity_pool_id

    def role(self, name):
        return f"arn:aws:iam::{self.daypass.account_id}:role/{name}"

    # The calls, as far as they are always the same.

    def get_id(self, logins):
        return self.public.get_id(IdentityPoolId=self.pool_id, Logins=logins)["IdentityId"]

    def guest(self):
        return self.public.get_id(IdentityPoolId=self.pool_id)["IdentityId"]

    def token(self, identity_id, logins):
        answer = self.public.get_open_id_token(IdentityId=identity_id, Logins=logins)
        return Person(answer["IdentityId"], answer["Token"])

    def credentials(self, identity_id, logins, **parameters):
        """Whose identity it is now, and its credentials as keyword arguments for a client."""
        answer = self.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins, **parameters)
        given = answer["Credentials"]
        return answer["IdentityId"], aws.keywords(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])

    def role_of(self, logins, **parameters):
        """The name of the role that somebody gets."""
        _, credentials = self.credentials(self.get_id(logins), logins, **parameters)
        arn = aws.developer(self.daypass, "sts", **credentials).get_caller_identity()["Arn"]
        session, role, name = arn.split("/")
        assert session == f"arn:aws:sts::{self.daypass.account_id}:assumed-role"
        assert name == "CognitoIdentityCredentials"
        return role

    def developer_token(self, user, **parameters):
        """GetOpenIdTokenForDeveloperIdentity; `Logins` are those beside the developer's own."""
        logins = {self.daypass.developer_provider: user, **parameters.pop("Logins", {})}
        answer = self.pools.get_open_id_token_for_developer_identity(
            IdentityPoolId=self.pool_id, Logins=logins, **parameters
        )
        return Person(answer["IdentityId"], answer["Token"])

    def merge(self, source, destination):
        answer = self.pools.merge_developer_identities(
            SourceUserIdentifier=source,
            DestinationUserIdentifier=destination,
            DeveloperProviderName=self.daypass.developer_provider,
            IdentityPoolId=self.pool_id,
        )
        return answer["IdentityId"]

    def providers_of(self, identity_id):
        return self.pools.describe_identity(IdentityId=identity_id).get("Logins", [])
