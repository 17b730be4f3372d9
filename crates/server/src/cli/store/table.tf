resource "aws_dynamodb_table" "daypass" {
  name                        = "TABLE_NAME"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "p"
  range_key                   = "s"

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

  tags = {
    application = "daypass"
  }

  lifecycle {
    prevent_destroy = true
  }
}
