output "function_trust" {
  description = "Who may take on the role of the function."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.function_trust })
}

output "function" {
  description = "What the function may do."
  value = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.function : statement if length(statement.Resource) > 0]
  })
}

output "authenticated_trust" {
  description = "Who may take on the role of people who signed in."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.authenticated_trust })
}

output "authenticated" {
  description = "What people may do who signed in."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.authenticated })
}
