variable "partition" {
  description = "aws, aws-cn or aws-us-gov."
  type        = string
}

variable "dns_suffix" {
  description = "What the names of services end in, amazonaws.com or amazonaws.com.cn."
  type        = string
}

variable "region" {
  description = "The Region that Daypass runs in."
  type        = string
}

variable "pool_id" {
  description = "The identity pool whose people get the role."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+:[0-9a-f-]{36}$", var.pool_id))
    error_message = "The ID of one identity pool, without wildcards."
  }
}

variable "pool_arns" {
  description = "The identity pools that Daypass vouches for people at."
  type        = list(string)
}

variable "parameter_arns" {
  description = "The parameters that Daypass reads."
  type        = list(string)
}

variable "secret_arns" {
  description = "The secrets that Daypass reads."
  type        = list(string)
}

variable "kms_key_arns" {
  description = "The keys that these are encrypted under."
  type        = list(string)
}

variable "table_arns" {
  description = "The table that Daypass keeps everything in, if it does."
  type        = list(string)
}

variable "log_group_arn" {
  description = "The log of the function."
  type        = string
}

variable "bucket" {
  description = "The bucket in which people have folders."
  type        = string
}

variable "principal_tags" {
  description = "Whether tokens carry principal tags."
  type        = bool
}
