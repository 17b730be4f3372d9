//! Whether something matches, with a third answer for what cannot be known: Kleene's logic.
//!
//! A policy may ask about a value that the request does not have. Calling that "no" would be safe
//! inside an Allow and dangerous inside `NotResource`, inside a negated operator and inside a Deny.
//! So the doubt is carried up to the statement, where the effect decides: an Allow takes hold only on
//! `Yes`, a Deny on everything but `No`.

/// An answer. The order makes *and* the smaller and *or* the larger of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::No { Self::No } else { self.min(other()) }
    }

    /// Whether one of them holds; none of none does.
    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Self::No;
        for answer in answers {
            best = best.max(answer);
            if best == Self::Yes {
                break;
            }
        }
        best
    }

    /// Whether each of them holds; all of none do.
    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::any(answers.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, No, Unknown, Yes};

    #[test]
    fn doubt_survives_unless_the_rest_settles_the_matter() {
        assert_eq!(Unknown.not(), Unknown);
        assert_eq!(Unknown.and(|| Yes), Unknown);
        assert_eq!(Unknown.and(|| No), No);
        assert_eq!(Truth::any([No, Unknown]), Unknown);
        assert_eq!(Truth::any([Unknown, Yes]), Yes);
        assert_eq!(Truth::all([Yes, Unknown]), Unknown);
        assert_eq!(Truth::all([Unknown, No]), No);
    }

    #[test]
    fn nothing_has_no_member_that_holds_and_none_that_fails() {
        assert_eq!(Truth::any([]), No);
        assert_eq!(Truth::all([]), Yes);
    }
}
