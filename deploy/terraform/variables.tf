variable "name" {
  description = "What everything is called: the pool, the function, the API, the roles and the logs."
  type        = string
  default     = "daypass"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "Use 2 to 41 small letters, digits and hyphens, a letter first."
  }
}

variable "package" {
  description = "The zip file that `cargo xtask package` made: bootstrap and daypass.toml."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip")
    error_message = "Name the zip file, target/package/daypass-lambda.zip."
  }
}

variable "developer_provider" {
  description = "The developer provider of the pool, developer_provider in daypass.toml. Another one makes another pool, and everybody a stranger."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,128}$", var.developer_provider))
    error_message = "Use 1 to 128 letters, digits, underscores, periods and hyphens."
  }
}

variable "allow_guests" {
  description = "Whether the pool gives identities to people who have not signed in. They get no role here; attach one yourself."
  type        = bool
  default     = false
}

variable "bucket" {
  description = "An S3 bucket of yours, in which each person gets a folder, named by the identity ID."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "Name a bucket, not an ARN or a URL, and no wildcard."
  }
}

variable "principal_tags" {
  description = "Whether tokens carry principal tags. Only then may sessions be tagged."
  type        = bool
  default     = false
}

variable "max_session_duration" {
  description = "How many seconds a session of the role may last at most."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200
    error_message = "IAM allows 3600 to 43200 seconds."
  }
}

variable "further_pool_arns" {
  description = "ARNs of the identity pools of the second [[pool.region]] in daypass.toml and those after it."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.further_pool_arns :
      can(regex("^arn:aws[a-z-]*:cognito-identity:[a-z0-9-]+:[0-9]{12}:identitypool/[a-z0-9-]+:[0-9a-f-]{36}$", arn))
    ])
    error_message = "Each is the whole ARN of one identity pool, without wildcards."
  }
}

variable "parameter_arns" {
  description = "ARNs of all SSM parameters that daypass.toml names by { ssm = … }."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.parameter_arns :
      can(regex("^arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+$", arn))
    ])
    error_message = "Each is the whole ARN of one parameter, without wildcards."
  }
}

variable "secret_arns" {
  description = "ARNs of all secrets that daypass.toml names by { secrets_manager = … }."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.secret_arns :
      can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$", arn))
    ])
    error_message = "Each is the whole ARN of one secret, without wildcards."
  }
}

variable "kms_key_arns" {
  description = "ARNs of the keys of yours that these parameters and secrets are encrypted under, unless they are AWS's own."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9a-f-]+$", arn))
    ])
    error_message = "Each is the whole ARN of one key, not an alias, without wildcards."
  }
}

variable "table_name" {
  description = "The DynamoDB table of [store] url in daypass.toml, in this Region. null if that is \"memory:\" or another store."
  type        = string
  default     = "daypass"

  validation {
    condition     = var.table_name == null ? true : can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.table_name))
    error_message = "Use 3 to 255 letters, digits, underscores, periods and hyphens, or null."
  }
}

variable "make_table" {
  description = "Whether the table is this module's to make. false if it is there."
  type        = bool
  default     = true
}

variable "architecture" {
  description = "What the bootstrap in the package was compiled for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Lambda has arm64 and x86_64."
  }
}

variable "memory_size" {
  description = "Megabytes, which decide the share of a processor, too."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 3008
    error_message = "Daypass needs no more than 3008, and Lambda gives no less than 128."
  }
}

variable "reserved_concurrency" {
  description = "At most so many instances, kept for Daypass alone. -1 reserves none, 0 stops it."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency >= -1
    error_message = "-1, 0 or a number of instances."
  }
}

variable "rate_limit" {
  description = "Requests a second that the API lets through. Cognito's quota for GetOpenIdTokenForDeveloperIdentity is 50."
  type        = number
  default     = 50

  validation {
    condition     = var.rate_limit >= 1
    error_message = "At 0 nobody gets through."
  }
}

variable "burst_limit" {
  description = "Requests that may come at once before the rate counts."
  type        = number
  default     = 100

  validation {
    condition     = var.burst_limit >= 1
    error_message = "At 0 nobody gets through."
  }
}

variable "log_retention_days" {
  description = "How long the log of the function, with its audit events if no table has them, and the access log are kept."
  type        = number
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days
    )
    error_message = "CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827 or 3653."
  }
}

variable "alarm_topic_arn" {
  description = "The SNS topic that is told of alarms. Without one they only change colour."
  type        = string
  default     = null
}

variable "slow_milliseconds" {
  description = "One request in a hundred that takes longer than this raises an alarm. Most of it is the provider's time."
  type        = number
  default     = 5000

  validation {
    condition     = var.slow_milliseconds >= 1 && var.slow_milliseconds <= 30000
    error_message = "After 30000 the function is ended anyway."
  }
}

variable "domain_name" {
  description = "The host of public_url, such as login.example.com. Without one, the API keeps the name that AWS gives it."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "The certificate of domain_name, from AWS Certificate Manager in this Region."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can bear them."
  type        = map(string)
  default     = {}
}
