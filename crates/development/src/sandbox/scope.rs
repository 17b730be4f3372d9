//! What a person can share with an app. On the wire a scope is a whole URL; the short names that
//! Snapchat's own libraries accept are spelled out by those libraries and mean nothing here.

use std::collections::BTreeSet;

/// One thing that a person can share with an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The person's ID, made for this one app.
    ExternalId,
    /// The name that friends see.
    DisplayName,
    /// The Bitmoji avatar and its ID.
    BitmojiAvatar,
}

impl Scope {
    /// Every scope, in the order the consent page shows them.
    pub const ALL: [Self; 3] = [Self::ExternalId, Self::DisplayName, Self::BitmojiAvatar];

    /// As it is written in a request.
    #[must_use]
    pub fn url(self) -> &'static str {
        match self {
            Self::ExternalId => "https://auth.snapchat.com/oauth2/api/user.external_id",
            Self::DisplayName => "https://auth.snapchat.com/oauth2/api/user.display_name",
            Self::BitmojiAvatar => "https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar",
        }
    }

    fn from_url(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.url() == url)
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::ExternalId => "External ID",
            Self::DisplayName => "Display name",
            Self::BitmojiAvatar => "Bitmoji avatar",
        }
    }

    pub(super) fn explanation(self) -> &'static str {
        match self {
            Self::ExternalId => "An ID of you that only this app sees",
            Self::DisplayName => "The name your friends see",
            Self::BitmojiAvatar => "Your picture",
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads scope URLs; `None` if one of them is not a scope.
    pub(super) fn from_urls<'a>(urls: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        urls.into_iter().map(Scope::from_url).collect::<Option<_>>().map(Self)
    }

    /// Reads the `scope` parameter: URLs with spaces between, at least one.
    pub(super) fn from_parameter(text: &str) -> Option<Self> {
        Self::from_urls(text.split(' ').filter(|url| !url.is_empty())).filter(|scopes| !scopes.0.is_empty())
    }

    pub(super) fn to_parameter(&self) -> String {
        self.iter().map(Scope::url).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The scopes that are in both sets.
    pub(super) fn shared_with(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }
}
