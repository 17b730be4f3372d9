//! The apps that the sandbox knows: the one under development, and another company's. The second is
//! there to be the attacker, so its secret is no secret: whoever wants to try a stolen code or token
//! needs it.

use daypass_core::ground::secret::Secret;

/// The client ID of the app under development.
pub use daypass_server::config::development::DAYPASS_DEMO_CLIENT_ID;

/// The client ID of the other company's app.
pub const OTHER_GAMES_CLIENT_ID: &str = "c0ffee00-1d2c-4b3a-8f9e-7a6b5c4d3e02";

/// The client secret of the other company's app, known to everybody.
pub const OTHER_GAMES_CLIENT_SECRET: &str = "other-games-secret-known-to-everybody";

/// Where the other company's app takes its codes; nothing answers there.
pub const OTHER_GAMES_REDIRECT_URI: &str = "https://other-games.example/signed-in";

/// An app that may ask people to sign in.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its public ID.
    pub client_id: String,
    /// What people read on the consent page.
    pub name: String,
    /// What proves that a request of the server side is its own.
    pub client_secret: Secret,
    /// Where codes and tokens may go. Compared character by character.
    pub redirect_uris: Vec<String>,
}

impl Client {
    /// The app under development, called "Daypass demo".
    #[must_use]
    pub fn daypass_demo(client_secret: Secret, redirect_uris: Vec<String>) -> Self {
        Self {
            client_id: DAYPASS_DEMO_CLIENT_ID.to_owned(),
            name: "Daypass demo".to_owned(),
            client_secret,
            redirect_uris,
        }
    }

    /// The other company's app, "Other Games".
    #[must_use]
    pub fn other_games() -> Self {
        Self {
            client_id: OTHER_GAMES_CLIENT_ID.to_owned(),
            name: "Other Games".to_owned(),
            client_secret: Secret::new(OTHER_GAMES_CLIENT_SECRET),
            redirect_uris: vec![OTHER_GAMES_REDIRECT_URI.to_owned()],
        }
    }
}
