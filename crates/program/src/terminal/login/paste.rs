//! The way back by hand: what a person copied from a browser that runs on another machine.

use std::io::{BufRead, IsTerminal, stdin};
use std::sync::Arc;

use daypass_client::{Code, NoCode, SignIn};
use daypass_server::cli::tell;
use tokio::sync::mpsc;

const STRAY: &str = "That is no answer to this login. Paste the whole address that the browser ended at.";

/// A code that somebody pastes; for ever, if nobody can. A script's standard input is left alone where a browser was
/// opened.
pub(super) async fn code(sign_in: Arc<SignIn>, opened: bool) -> Code {
    if opened && !stdin().is_terminal() {
        return std::future::pending().await;
    }
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        match sign_in.code_of_paste(&line) {
            Ok(code) => return code,
            Err(_) if line.trim().is_empty() => {}
            Err(NoCode::Refused(why)) => tell(&format!("That says that the sign-in came to nothing: {why}.")),
            Err(_) => tell(STRAY),
        }
    }
    std::future::pending().await
}

/// What is typed. Nobody can be kept from reading who waits for a line, so that is a thread that nobody waits for.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
