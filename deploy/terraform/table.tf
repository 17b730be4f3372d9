# What `daypass store describe --as terraform` prints. Everything is in it, so Terraform must not delete it.
resource "aws_dynamodb_table" "this" {
  count = var.table_name != null && var.make_table ? 1 : 0

  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "p"
  range_key                   = "s"
  tags                        = merge({ application = "daypass" }, var.tags)

  attribute {
    name = "p"
    type = "B"
  }

  attribute {
    name = "s"
    type = "B"
  }

  ttl {
    attribute_name = "t"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}
