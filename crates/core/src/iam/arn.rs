//! Patterns for Amazon Resource Names. The six parts of an ARN are matched one by one, so that a
//! wildcard never reaches across the colons before the resource; within the resource it matches any
//! character, `/` and `:` included.

use super::context::Context;
use super::error::PolicyError;
use super::glob::{Case, Glob};
use super::key::Document;
use super::template::{Template, Wildcards};
use super::truth::Truth;

/// A pattern for ARNs, as `Resource` and the `Arn…` operators take it.
#[derive(Debug, Clone)]
pub(super) enum ArnPattern {
    /// `*`: whatever there is, even where there is no resource.
    Anything,
    Parts {
        /// Partition, service, Region and account.
        head: [Glob; 4],
        resource: Template,
    },
}

impl ArnPattern {
    pub(super) fn parse(text: &str, document: Document) -> Result<Self, PolicyError> {
        if text == "*" {
            return Ok(Self::Anything);
        }
        let (head, resource) = split(text).ok_or_else(|| not_an_arn(text))?;
        if head.iter().any(|part| part.contains("${")) {
            return Err(PolicyError::new(format!(
                "{text:?} has a variable before its sixth part; variables may stand in the resource only"
            )));
        }
        Ok(Self::Parts {
            head: head.map(Glob::parse),
            resource: Template::parse(resource, Wildcards::Active, document)?,
        })
    }

    /// What stands in its sixth part.
    pub(super) fn resource(&self) -> Option<&Template> {
        match self {
            Self::Anything => None,
            Self::Parts { resource, .. } => Some(resource),
        }
    }

    /// Compares with the resource of a request. Where that is `*`, because the operation is about no single
    /// resource, only a pattern for whatever there is covers it, as in IAM.
    pub(super) fn covers(&self, resource: &str, context: &Context) -> Truth {
        match self {
            Self::Anything => Truth::Yes,
            Self::Parts { .. } if resource == "*" => Truth::No,
            Self::Parts { .. } => self.matches(resource, context),
        }
    }

    /// Compares with the ARN in a request. What is not an ARN at all is neither inside nor outside, of `*` neither.
    pub(super) fn matches(&self, text: &str, context: &Context) -> Truth {
        let Some((head, resource)) = split(text) else { return Truth::Unknown };
        let Self::Parts { head: patterns, resource: pattern } = self else { return Truth::Yes };
        if patterns.iter().zip(head).all(|(pattern, part)| pattern.matches(part, Case::Exact)) {
            pattern.matches(resource, Case::Exact, context)
        } else {
            Truth::No
        }
    }
}

/// The four parts behind `arn:`, and the resource with whatever colons it has.
fn split(text: &str) -> Option<([&str; 4], &str)> {
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
    let head = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    parts.next().map(|resource| (head, resource))
}

fn not_an_arn(text: &str) -> PolicyError {
    PolicyError::new(format!(
        "{text:?} is neither `*` nor an ARN with six parts, arn:partition:service:region:account:resource; \
         write out all of them, for example arn:aws:s3:::bucket/*"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> Truth {
        ArnPattern::parse(pattern, Document::Identity).unwrap().matches(text, &Context::empty())
    }

    #[test]
    fn the_resource_matches_across_slashes_and_colons() {
        assert_eq!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/us-east-1:0a/x"), Truth::Yes);
        assert_eq!(matches("arn:aws:s3:::b/?:*", "arn:aws:s3:::b/a:b:c"), Truth::Yes);
        assert_eq!(matches("arn:aws:s3:::B/*", "arn:aws:s3:::b/x"), Truth::No);
        assert_eq!(matches("arn:aws:s3:::b", "arn:aws:s3:::b/x"), Truth::No);
    }

    #[test]
    fn a_wildcard_stays_within_its_part() {
        assert_eq!(matches("arn:aws:s*:::b", "arn:aws:s3:::b"), Truth::Yes);
        assert_eq!(matches("arn:*:::b:c", "arn:aws:s3:::b:c"), Truth::No);
        assert_eq!(matches("arn:aws:s3:*:*:b", "arn:aws:s3:::b"), Truth::Yes);
        assert_eq!(matches("arn:aws:s3:*:9:b", "arn:aws:s3:::x:9:b"), Truth::No);
    }

    #[test]
    fn what_is_no_arn_is_covered_by_everything_and_undecided_otherwise() {
        assert_eq!(ArnPattern::Anything.covers("", &Context::empty()), Truth::Yes);
        assert_eq!(matches("*", ""), Truth::Unknown);
        assert_eq!(matches("*", "arn:aws:s3:::b"), Truth::Yes);
        for text in ["", "*", "arn:aws:s3:::", "bucket", "arn:aws:s3"] {
            let expected = if text == "arn:aws:s3:::" { Truth::No } else { Truth::Unknown };
            assert_eq!(matches("arn:aws:s3:::b", text), expected, "{text}");
        }
    }

    #[test]
    fn incomplete_patterns_and_early_variables_are_refused() {
        for text in ["", "**", "arn:aws:s3*", "arn:aws:s3", "arn:*", "*:aws:s3:::b", "b/*", "${aws:userid}"] {
            assert!(ArnPattern::parse(text, Document::Identity).is_err(), "{text}");
        }
        let early = ArnPattern::parse("arn:aws:s3:${aws:userid}::b", Document::Identity).unwrap_err();
        assert!(early.to_string().contains("before its sixth part"), "{early}");
    }
}
