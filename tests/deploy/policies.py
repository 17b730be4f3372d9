"""The IAM documents of deploy/, filled in, each with what it has to allow and to deny. The file that is made of them,
`FILE`, is what a test of core asks Daypass's own IAM engine about."""

import functools
from typing import Any

import botocore.session

import cloudformation
import terraform
from cloudformation import ACCOUNT_ID, REGION
from conftest import ROOT

FILE = ROOT / "crates/core/tests/deploy/policies.json"

POOL_ID = f"{REGION}:11111111-1111-4111-8111-111111111111"
SECOND_POOL_ID = "eu-west-1:22222222-2222-4222-8222-222222222222"
OTHER_POOL_ID = f"{REGION}:33333333-3333-4333-8333-333333333333"
BUCKET = "folders"
PERSON = f"{REGION}:aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER_PERSON = f"{REGION}:bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/lambda/daypass"
KMS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/44444444-4444-4444-8444-444444444444"

DRIVER_CALLS = [
    "DescribeIdentity",
    "GetOpenIdTokenForDeveloperIdentity",
    "LookupDeveloperIdentity",
    "MergeDeveloperIdentities",
]
TABLE_CALLS = [f"dynamodb:{call}" for call in ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query")]
# Rights that no operation is named after: what a transaction looks at.
TABLE_RIGHTS = ["dynamodb:ConditionCheckItem"]
LOG_CALLS = ["logs:CreateLogStream", "logs:PutLogEvents"]
FOLDER_CALLS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
]


def pool_arn(pool_id: str) -> str:
    region = pool_id.split(":")[0]
    return f"arn:aws:cognito-identity:{region}:{ACCOUNT_ID}:identitypool/{pool_id}"


def parameter(name: str) -> str:
    return f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter{name}"


def secret(name: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:{name}"


PARAMETERS = [parameter("/daypass/master-key"), parameter("/daypass/snap")]
SECRETS = [secret("daypass/snap-AbCdEf")]

TABLE = "daypass"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{TABLE}"

SERVICES = ["cognito-identity", "dynamodb", "iam", "s3", "secretsmanager", "ssm", "sts"]

NOTHING: dict[str, Any] = {"pools": [POOL_ID], "parameters": [], "secrets": [], "key": None, "table": None}
BOTH = NOTHING | {"parameters": PARAMETERS, "secrets": SECRETS}
VARIANTS: dict[str, dict[str, Any]] = {
    "parameters": NOTHING | {"parameters": PARAMETERS},
    "secrets, two Regions": NOTHING | {"pools": [POOL_ID, SECOND_POOL_ID], "secrets": SECRETS},
    "both": BOTH,
    "both, and a table": BOTH | {"table": TABLE},
    "both, under a key of ours": BOTH | {"key": KMS_KEY},
}


@functools.cache
def function_template() -> dict[str, Any]:
    return cloudformation.transformed(cloudformation.read("template.yaml"))


def sam_function(variant: dict[str, Any]) -> dict[str, Any]:
    """The trust policy and the policy of the function's role."""
    parameters = {
        "IdentityPoolId": variant["pools"][0],
        "SecondIdentityPoolId": (variant["pools"] + [""])[1],
        "ParameterArns": ",".join(variant["parameters"]),
        "SecretArns": ",".join(variant["secrets"]),
        "KmsKeyArn": variant["key"] or "",
        "TableName": variant["table"] or "",
    }
    created = {"FunctionLog.Arn": f"{LOG_GROUP}:*"}
    return _role(cloudformation.Stack(function_template(), parameters, created).resource("FunctionRole"))


def sam_authenticated() -> dict[str, Any]:
    """The trust policy and the policy of the role of people."""
    parameters = {"DeveloperProvider": "login.example.com", "BucketName": BUCKET}
    template = cloudformation.read("pool.yaml")
    return _role(cloudformation.Stack(template, parameters, {"IdentityPool": POOL_ID}).resource("AuthenticatedRole"))


def _role(role: dict[str, Any]) -> dict[str, Any]:
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    return {"trust": role["AssumeRolePolicyDocument"], "policy": policy["PolicyDocument"]}


def terraform_variables(variant: dict[str, Any], *, principal_tags: bool = False) -> dict[str, Any]:
    return {
        "partition": "aws",
        "dns_suffix": "amazonaws.com",
        "region": REGION,
        "pool_id": variant["pools"][0],
        "pool_arns": [pool_arn(pool) for pool in variant["pools"]],
        "parameter_arns": variant["parameters"],
        "secret_arns": variant["secrets"],
        "kms_key_arns": [variant["key"]] if variant["key"] else [],
        "table_arns": [TABLE_ARN] if variant["table"] else [],
        "log_group_arn": LOG_GROUP,
        "bucket": BUCKET,
        "principal_tags": principal_tags,
    }


def operations(service: str) -> list[str]:
    """Every operation that botocore's model of the service has, as IAM actions."""
    model = botocore.session.get_session().get_service_model(service)
    return [f"{service}:{name}" for name in model.operation_names]


def ask(actions: list[str], *resources: str, **context: str) -> dict[str, Any]:
    assert actions and resources
    return {"actions": actions, "resources": list(resources)} | context


def ask_every(service: str, *resources: str, but: list[str] | None = None, **context: str) -> dict[str, Any]:
    """All operations of the service, which the file lists once, but those."""
    assert set(but or []) <= set(operations(service))
    return {"every": service, "but": but or [], "resources": list(resources)} | context


def function_cases(variant: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    driver = [f"cognito-identity:{call}" for call in DRIVER_CALLS]
    pools = [pool_arn(pool) for pool in variant["pools"]]
    allowed = [ask(driver, *pools), ask(LOG_CALLS, f"{LOG_GROUP}:log-stream:2026/11/25")]
    if variant["parameters"]:
        allowed.append(ask(["ssm:GetParameter"], *variant["parameters"]))
    if variant["secrets"]:
        allowed.append(ask(["secretsmanager:GetSecretValue"], *variant["secrets"]))
    if variant["table"]:
        allowed.append(ask(TABLE_CALLS + TABLE_RIGHTS, TABLE_ARN))

    readable = variant["parameters"] + variant["secrets"]
    others = [name for name in PARAMETERS + SECRETS if name not in readable]
    denied = [
        ask(driver, pool_arn(OTHER_POOL_ID), pool_arn(POOL_ID).replace(ACCOUNT_ID, "210987654321"), "*"),
        # A pool of the same name in another Region or partition is another pool.
        ask(driver, pool_arn(POOL_ID).replace(":us-east-1:1", ":us-west-2:1"), pool_arn(POOL_ID) + "1"),
        ask_every("cognito-identity", *pools, "*", but=driver),
        ask(
            ["ssm:GetParameter", "secretsmanager:GetSecretValue"],
            *others,
            parameter("/daypass"),
            parameter("/daypass/other"),
            parameter("/daypass/snap/more"),
            secret("daypass/snap-AbCdEf2"),
            secret("daypass/other-AbCdEf"),
            "*",
        ),
        ask_every("ssm", *PARAMETERS, "*", but=["ssm:GetParameter"]),
        ask_every("secretsmanager", *SECRETS, "*", but=["secretsmanager:GetSecretValue"]),
        ask(LOG_CALLS, f"{LOG_GROUP}-other:log-stream:2026/11/25", "*"),
        ask(["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:GetLogEvents"], f"{LOG_GROUP}:log-stream:2026/11/25"),
        ask_every("sts", f"arn:aws:iam::{ACCOUNT_ID}:role/daypass-authenticated", "*"),
        ask_every("iam", f"arn:aws:iam::{ACCOUNT_ID}:role/daypass-function", "*"),
        ask_every("s3", f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/{PERSON}/diary.txt", "*"),
        ask_every("dynamodb", TABLE_ARN, "*", but=TABLE_CALLS if variant["table"] else None),
        ask(
            TABLE_CALLS + TABLE_RIGHTS,
            f"{TABLE_ARN}2",
            f"{TABLE_ARN}/index/x",
            f"{TABLE_ARN}/stream/x",
            TABLE_ARN.replace(ACCOUNT_ID, "210987654321"),
            TABLE_ARN.replace(REGION, "eu-west-1"),
            "*",
        ),
        ask(["kms:Decrypt", "kms:GenerateDataKey"], KMS_KEY, "*"),
        ask(["lambda:InvokeFunction", "cognito-idp:AdminGetUser"], "*"),
    ]
    return allowed, denied


def authenticated_cases() -> tuple[list[Any], list[Any]]:
    bucket = f"arn:aws:s3:::{BUCKET}"
    diary = f"{bucket}/{PERSON}/diary.txt"
    allowed = [
        ask(FOLDER_CALLS, diary, f"{bucket}/{PERSON}/", sub=PERSON),
        ask(["s3:ListBucket"], bucket, sub=PERSON, prefix=f"{PERSON}/"),
        ask(["s3:ListBucket"], bucket, sub=PERSON, prefix=f"{PERSON}/2026/"),
    ]
    denied = [
        ask(FOLDER_CALLS, f"{bucket}/{OTHER_PERSON}/diary.txt", f"{bucket}/diary.txt", sub=PERSON),
        ask(FOLDER_CALLS, f"{bucket}/{PERSON}", f"{bucket}/{PERSON}x/diary.txt", f"{bucket}/x/{PERSON}/a", sub=PERSON),
        ask(FOLDER_CALLS, f"{bucket}2/{PERSON}/diary.txt", bucket, "*", sub=PERSON),
        # Whoever has no identity has no folder, and a name is never a pattern.
        ask(FOLDER_CALLS, diary, f"{bucket}//diary.txt"),
        ask(FOLDER_CALLS, diary, sub="*"),
        ask(["s3:ListBucket"], bucket, sub=PERSON),
        ask(["s3:ListBucket"], bucket, sub=PERSON, prefix=""),
        ask(["s3:ListBucket"], bucket, sub=PERSON, prefix=f"{OTHER_PERSON}/"),
        ask(["s3:ListBucket"], bucket, sub=PERSON, prefix=PERSON),
        ask(["s3:ListBucket"], f"{bucket}2", sub=PERSON, prefix=f"{PERSON}/"),
        ask_every("s3", diary, sub=PERSON, but=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]),
        *(ask_every(service, "*", sub=PERSON) for service in ("iam", "sts", "cognito-identity", "ssm", "secretsmanager")),
        ask(["ssm:GetParameter"], *PARAMETERS, sub=PERSON),
    ]
    return allowed, denied


def trust_cases(*, principal_tags: bool) -> tuple[list[Any], list[Any]]:
    def token(aud: str, amr: list[str], **more: Any) -> dict[str, Any]:
        return {"provider": "cognito-identity.amazonaws.com", "aud": aud, "amr": amr, "tags": False} | more

    person = ["authenticated", "login.example.com", f"login.example.com:{POOL_ID}:snapchat:1"]
    tagged = token(POOL_ID, person, tags=True)
    admitted = [token(POOL_ID, person), token(POOL_ID, ["authenticated"])] + ([tagged] if principal_tags else [])
    refused = [
        token(OTHER_POOL_ID, person),
        token(POOL_ID + "1", person),
        token("*", person),
        token(POOL_ID, ["unauthenticated"]),
        token(POOL_ID, []),
        token(POOL_ID, ["login.example.com"]),
        token(POOL_ID, ["authenticated2"]),
        token(POOL_ID, person, provider="accounts.google.com"),
    ] + ([] if principal_tags else [tagged])
    return admitted, refused


def build() -> dict[str, Any]:
    """What `FILE` says."""
    documents, trusts = [], []

    def add(name: str, document: dict[str, Any], cases: tuple[list[Any], list[Any]]) -> None:
        documents.append({"name": name, "policy": document, "allowed": cases[0], "denied": cases[1]})

    def add_trust(name: str, document: dict[str, Any], *, principal_tags: bool = False) -> None:
        admitted, refused = trust_cases(principal_tags=principal_tags)
        trusts.append({"name": name, "policy": document, "admitted": admitted, "refused": refused})

    for name, variant in VARIANTS.items():
        if variant["key"] is None:
            add(f"sam, function: {name}", sam_function(variant)["policy"], function_cases(variant))
            filled = terraform.documents(terraform_variables(variant))
            add(f"terraform, function: {name}", filled["function"], function_cases(variant))
    role = sam_authenticated()
    add("sam, authenticated", role["policy"], authenticated_cases())
    add_trust("sam, authenticated", role["trust"])
    variant = VARIANTS["both"]
    filled = terraform.documents(terraform_variables(variant))
    add("terraform, authenticated", filled["authenticated"], authenticated_cases())
    add_trust("terraform, authenticated", filled["authenticated_trust"])
    tagging = terraform.documents(terraform_variables(variant, principal_tags=True))
    add_trust("terraform, authenticated, with tags", tagging["authenticated_trust"], principal_tags=True)

    under_a_key = VARIANTS["both, under a key of ours"]
    return {
        "operations": {service: operations(service) for service in SERVICES},
        "policies": documents,
        "trust_policies": trusts,
        "with_kms_via_service": [
            sam_function(under_a_key)["policy"],
            terraform.documents(terraform_variables(under_a_key))["function"],
        ],
    }
