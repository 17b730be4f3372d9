//! SIGHUP at a server: its configuration is read again, and the log says what came of it.

use std::sync::Arc;

use super::sentence;
use crate::installation::{App, Installation};
use crate::key_turns::have_keys_take_turns;

/// Has what the configuration says now taken up, or leaves everything as it was. Answers what runs from then on.
///
/// # Errors
/// Why it was left, in words for the operator, which are in the log.
pub async fn reread(
    installation: &Installation,
    running: &App,
    take_up: impl FnOnce(Arc<App>),
) -> Result<Arc<App>, String> {
    match installation.reread(running).await {
        Ok(app) => {
            let app = Arc::new(app);
            app.start_traces();
            take_up(app.clone());
            if !app.has_the_tokens_of(running) {
                have_keys_take_turns(&app);
            }
            tell_what_counts(&app);
            Ok(app)
        }
        Err(error) => {
            let mistakes = sentence(&error);
            tracing::error!(
                mistakes,
                "the configuration was not taken up, and the one from before stays in use"
            );
            Err(mistakes)
        }
    }
}

fn tell_what_counts(app: &App) {
    let providers: Vec<_> = app.broker.providers.all().keys().cloned().collect();
    let apps: Vec<_> = app.login_flow.apps.keys().map(String::as_str).collect();
    let roles = app.embedded.iter().flat_map(|embedded| embedded.access.roles.iter());
    let roles: Vec<_> = roles.map(|role| role.name.as_str()).collect();
    let [providers, apps, roles] = [providers.join(" "), apps.join(" "), roles.join(" ")];
    tracing::info!(providers, apps, roles, "the configuration was read again, and counts from now on");
}
