//! A server, and people that it knows.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Outcome;
use crate::crowd;
use crate::requests::{Developer, Request, repeat, send_all};
use crate::server::Server;

/// Known users, so that the store answers from more than one row.
pub(crate) const USERS: usize = 1_000;
/// How many people share the requests that only make events.
const WITNESSES: usize = 256;
const CONNECTIONS: usize = 32;
const COGNITO: &str = "cognito-identity";
/// In seconds, as long as a token may live: making ten million events takes more than an hour.
const A_DAY: u32 = 86_400;
const DATABASE: &str = "daypass.db";

pub(crate) struct Town {
    pub(crate) server: Server,
    pub(crate) developer: Developer,
    users: Vec<String>,
    directory: TempDir,
}

impl Town {
    pub(crate) fn of(people: usize) -> Outcome<Self> {
        Self::with(people, "")
    }

    /// One whose server has more configuration than `up` makes for itself.
    pub(crate) fn with(people: usize, configuration: &str) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        std::fs::write(file_in(&directory), configuration)?;
        let server = start_in(&directory)?;
        let developer = Developer::of(&server)?;
        let mut town = Self { server, developer, users: Vec::new(), directory };
        town.settle(people)?;
        Ok(town)
    }

    pub(crate) fn people(&self) -> usize {
        self.users.len()
    }

    /// Where the server keeps its state.
    pub(crate) fn home(&self) -> PathBuf {
        home_in(&self.directory)
    }

    /// Lets so many more people in.
    fn settle(&mut self, people: usize) -> Outcome<()> {
        let people = crowd::add(&self.home().join(DATABASE), &self.developer.pool_id, people)?;
        self.users.extend(people.into_iter().map(|person| person.user));
        Ok(())
    }

    /// Lets so many more people in while the server is stopped, and tells how many bytes more there are on disk.
    pub(crate) fn grow(self, people: usize) -> Outcome<(Self, u64)> {
        let Self { server, developer, mut users, directory } = self;
        server.stop()?;
        let home = home_in(&directory);
        let before = bytes(&home)?;
        let added = crowd::add(&home.join(DATABASE), &developer.pool_id, people)?;
        let grown = bytes(&home)?.saturating_sub(before);
        users.extend(added.into_iter().map(|person| person.user));
        let server = start_in(&directory)?;
        Ok((Self { developer: Developer::of(&server)?, server, users, directory }, grown))
    }

    /// The same, stopped and started again.
    pub(crate) fn restarted(self) -> Outcome<Self> {
        Ok(self.grow(0)?.0)
    }

    /// Has so many credentials given, each of which leaves an event and nothing else.
    pub(crate) fn make_events(&self, count: usize) -> Outcome<()> {
        let developer = &self.developer;
        let tokens = self.users.iter().take(WITNESSES).map(|user| {
            let logins = json!({developer.provider.clone(): user});
            let input =
                json!({"IdentityPoolId": developer.pool_id, "Logins": logins, "TokenDuration": A_DAY});
            developer.signed(COGNITO, Request::json("GetOpenIdTokenForDeveloperIdentity", &input))
        });
        let answers = send_all(&developer.url, &tokens.collect::<Outcome<Vec<_>>>()?, CONNECTIONS)?;
        let requests = answers.iter().map(|answer| {
            let answer: Value = serde_json::from_slice(answer)?;
            let logins = json!({"cognito-identity.amazonaws.com": answer["Token"]});
            let input = json!({"IdentityId": answer["IdentityId"], "Logins": logins});
            Ok(Request::json("GetCredentialsForIdentity", &input))
        });
        repeat(&developer.url, &requests.collect::<Outcome<Vec<_>>>()?, count, CONNECTIONS)
    }

    /// Asks for tokens of users drawn evenly from all of them.
    pub(crate) fn requests(&self, count: usize) -> Outcome<Vec<Request>> {
        // A stride without a common factor visits everybody, in an order that no page of an index has.
        let numbers = (0..count).map(|number| number * 7919 % self.users.len());
        numbers.map(|number| self.developer.token_request(&self.users[number])).collect()
    }
}

fn home_in(directory: &TempDir) -> PathBuf {
    directory.path().join("home")
}

fn file_in(directory: &TempDir) -> PathBuf {
    directory.path().join("bench.toml")
}

fn start_in(directory: &TempDir) -> Outcome<Server> {
    Server::start_with(&home_in(directory), Some(&file_in(directory)))
}

/// The lengths of all files below a folder.
pub(crate) fn bytes(folder: &Path) -> Outcome<u64> {
    let entries = std::fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_dir() { bytes(&entry.path()) } else { Ok(about.len()) }
    });
    entries.sum()
}
