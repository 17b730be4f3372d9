terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40, < 7.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

# Made beforehand and outside of Terraform, so that no secret gets into its state.
data "aws_caller_identity" "current" {}

locals {
  parameters = "arn:aws:ssm:us-east-1:${data.aws_caller_identity.current.account_id}:parameter"
}

resource "aws_s3_bucket" "folders" {
  bucket_prefix = "daypass-example-"
}

module "daypass" {
  source = "../.."

  package            = "../../../../target/package/daypass-lambda.zip"
  developer_provider = "login.example.com"
  bucket             = aws_s3_bucket.folders.bucket
  table_name         = "daypass" # [store] url = "dynamodb:daypass"
  parameter_arns     = ["${local.parameters}/daypass/master-key", "${local.parameters}/daypass/snap"]
}

output "url" {
  description = "public_url in daypass.toml."
  value       = module.daypass.url
}

output "identity_pool_id" {
  description = "pool_id in daypass.toml."
  value       = module.daypass.identity_pool_id
}
