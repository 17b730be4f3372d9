# Everybody's identity is lost with the pool, so Terraform must not delete it.
resource "aws_cognito_identity_pool" "this" {
  identity_pool_name               = var.name
  developer_provider_name          = var.developer_provider
  allow_unauthenticated_identities = var.allow_guests
  allow_classic_flow               = false
  tags                             = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "authenticated" {
  name                 = "${var.name}-authenticated"
  description          = "What people may do who have signed in by Daypass"
  assume_role_policy   = module.policies.authenticated_trust
  max_session_duration = var.max_session_duration
  tags                 = var.tags
}

resource "aws_iam_role_policy" "authenticated" {
  name   = "own-folder"
  role   = aws_iam_role.authenticated.id
  policy = module.policies.authenticated
}

resource "aws_cognito_identity_pool_roles_attachment" "this" {
  identity_pool_id = aws_cognito_identity_pool.this.id

  roles = {
    authenticated = aws_iam_role.authenticated.arn
  }
}
