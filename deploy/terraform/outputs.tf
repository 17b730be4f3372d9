output "url" {
  description = "public_url in daypass.toml has to be this."
  value       = var.domain_name == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain_name}"
}

output "identity_pool_id" {
  description = "pool_id of the first [[pool.region]] in daypass.toml."
  value       = aws_cognito_identity_pool.this.id
}

output "identity_pool_arn" {
  description = "For further_pool_arns of Daypass in another Region."
  value       = aws_cognito_identity_pool.this.arn
}

output "authenticated_role_arn" {
  description = "The role of everybody who signed in."
  value       = aws_iam_role.authenticated.arn
}

output "function_name" {
  description = "The function, whose alias `live` answers."
  value       = aws_lambda_function.this.function_name
}

output "function_role_arn" {
  description = "The role of the function, for the policy of a KMS key."
  value       = aws_iam_role.function.arn
}

output "function_log_group" {
  description = "The log of Daypass."
  value       = aws_cloudwatch_log_group.function.name
}

output "access_log_group" {
  description = "The access log of the API."
  value       = aws_cloudwatch_log_group.access.name
}

output "domain_target" {
  description = "What the DNS record of domain_name has to lead to, and the hosted zone that an alias in Route 53 asks for."
  value = var.domain_name == null ? null : {
    name    = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
  }
}
