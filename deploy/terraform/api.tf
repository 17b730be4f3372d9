locals {
  # Nothing else of the router is to be reached from the internet. Preflights are Daypass's to answer.
  routes = toset([
    "ANY /v1/{proxy+}",
    "ANY /oauth2/{proxy+}",
    "GET /login",
    "ANY /login/{proxy+}",
    "ANY /device",
    "ANY /device/{proxy+}",
    "GET /sdk/{proxy+}",
    "GET /.well-known/oauth-authorization-server",
    "GET /healthz",
    "GET /readyz",
  ])

  # The path and never the query, because codes and states travel in queries.
  access_log = {
    request_id            = "$context.requestId"
    time                  = "$context.requestTime"
    ip                    = "$context.identity.sourceIp"
    method                = "$context.httpMethod"
    path                  = "$context.path"
    status                = "$context.status"
    bytes                 = "$context.responseLength"
    milliseconds          = "$context.responseLatency"
    function_milliseconds = "$context.integrationLatency"
  }
}

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = "Daypass"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.domain_name != null
  tags                         = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_alias.live.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.value
  target    = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit    = var.rate_limit
    throttling_burst_limit   = var.burst_limit
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode(local.access_log)
  }
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain_name == null ? 0 : 1

  domain_name = var.domain_name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }

  lifecycle {
    precondition {
      condition     = var.certificate_arn != null
      error_message = "domain_name needs certificate_arn, which browsers are shown."
    }
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain_name == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.default.id
}
