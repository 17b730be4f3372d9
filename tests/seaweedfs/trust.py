"""Whom the SeaweedFS of these tests believes, and what they may do. Its files are what docs/use-your-own-s3.md shows."""

import base64
import os

BUCKET = "photos"
ACCOUNT = "000000000000"


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def allow(actions, resource, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{resource}"], **more}


def lists(prefix):
    return allow(["s3:ListBucket"], BUCKET, Condition={"StringLike": {"s3:prefix": [f"{prefix}/*"]}})


def policy(name, *statements):
    return {"name": name, "document": {"Version": "2012-10-17", "Statement": list(statements)}}


def role(name, pool_id, amr, attached):
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": "daypass"},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {"StringEquals": {"oidc:aud": pool_id}, "ForAnyValue:StringLike": {"oidc:amr": amr}},
    }
    return {
        "roleName": name,
        "roleArn": role_arn(name),
        "attachedPolicies": [attached],
        "trustPolicy": {"Version": "2012-10-17", "Statement": [trust]},
    }


def iam(issuer, pool_id):
    """Everybody has a folder; guests read what is public; and there is a role that no pool gives."""
    own, everything = "private/${jwt:sub}", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    return {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "seaweedfs-sts",
            "signingKey": base64.b64encode(os.urandom(32)).decode(),
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "providers": [
            {
                "name": "daypass",
                "type": "oidc",
                "enabled": True,
                "config": {"issuer": issuer, "clientIds": [pool_id]},
            }
        ],
        "policies": [
            policy("own-folder", allow(everything, f"{BUCKET}/{own}/*"), lists(own)),
            policy("public-folder", allow(["s3:GetObject"], f"{BUCKET}/public/*"), lists("public")),
            policy("everything", allow(["s3:*"], "*")),
        ],
        "roles": [
            role("Person", pool_id, "authenticated", "own-folder"),
            role("Guest", pool_id, "unauthenticated", "public-folder"),
            role("Owner", pool_id, "*", "everything"),
        ],
    }
