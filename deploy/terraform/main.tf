data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  here   = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  tables = "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table"
}

# Every IAM document of this module. It has no provider, so that it can be evaluated and tested without AWS.
module "policies" {
  source = "./policies"

  partition      = data.aws_partition.current.partition
  dns_suffix     = data.aws_partition.current.dns_suffix
  region         = data.aws_region.current.id
  pool_id        = aws_cognito_identity_pool.this.id
  pool_arns      = concat([aws_cognito_identity_pool.this.arn], var.further_pool_arns)
  parameter_arns = var.parameter_arns
  secret_arns    = var.secret_arns
  kms_key_arns   = var.kms_key_arns
  table_arns     = var.table_name == null ? [] : ["${local.tables}/${var.table_name}"]
  log_group_arn  = aws_cloudwatch_log_group.function.arn
  bucket         = var.bucket
  principal_tags = var.principal_tags
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_iam_role" "function" {
  name               = "${var.name}-function"
  description        = "What Daypass itself may do"
  assume_role_policy = module.policies.function_trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "function" {
  name   = "daypass"
  role   = aws_iam_role.function.id
  policy = module.policies.function
}

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = "Daypass"
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = "bootstrap"
  runtime                        = "provided.al2023"
  architectures                  = [var.architecture]
  memory_size                    = var.memory_size
  timeout                        = 30 # The API waits no longer.
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = aws_iam_role.function.arn
  publish                        = true
  tags                           = var.tags

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.function]
}

# Every deployment is a version, and `live` says which one answers: the way back is one call.
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
