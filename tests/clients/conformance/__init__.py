"""What the tests of conformance are made of: AWS's own model of the API, read as botocore installs it, decides
what is sent and what has to come back. Nothing here is a copy of the model, so a new release of it fails where Daypass
does not follow."""
