# The statements are plain lists, so that whoever reviews them, and the tests, read what IAM will read. One whose
# list of resources is empty is left out.

locals {
  function_trust = [
    {
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
    },
  ]

  function = [
    {
      Sid    = "VouchForPeople"
      Effect = "Allow"
      Action = [
        "cognito-identity:DescribeIdentity",
        "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
        "cognito-identity:LookupDeveloperIdentity",
        "cognito-identity:MergeDeveloperIdentities",
      ]
      Resource = var.pool_arns
    },
    {
      Sid      = "ReadParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter"]
      Resource = var.parameter_arns
    },
    {
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = var.secret_arns
    },
    {
      Sid      = "DecryptThem"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = var.kms_key_arns
      Condition = {
        StringEquals = {
          "kms:ViaService" = ["ssm.${var.region}.${var.dns_suffix}", "secretsmanager.${var.region}.${var.dns_suffix}"]
        }
      }
    },
    {
      # What `daypass store describe --as policy` prints.
      Sid    = "KeepThingsInTheTable"
      Effect = "Allow"
      Action = [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
      ]
      Resource = var.table_arns
    },
    {
      Sid      = "WriteItsLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${var.log_group_arn}:*"] # The streams of this one group.
    },
  ]

  authenticated_trust = [
    {
      Sid       = "PeopleOfThisPoolWhoSignedIn"
      Effect    = "Allow"
      Principal = { Federated = "cognito-identity.amazonaws.com" }
      Action    = local.assume
      Condition = {
        StringEquals             = { "cognito-identity.amazonaws.com:aud" = var.pool_id }
        "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = "authenticated" }
      }
    },
  ]

  assume = var.principal_tags ? ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] : ["sts:AssumeRoleWithWebIdentity"]

  authenticated = [
    {
      Sid    = "ObjectsInOnesOwnFolder"
      Effect = "Allow"
      Action = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
      ]
      Resource = ["arn:${var.partition}:s3:::${var.bucket}/$${cognito-identity.amazonaws.com:sub}/*"]
    },
    {
      Sid       = "ListOnesOwnFolder"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = ["arn:${var.partition}:s3:::${var.bucket}"]
      Condition = { StringLike = { "s3:prefix" = "$${cognito-identity.amazonaws.com:sub}/*" } }
    },
  ]
}
