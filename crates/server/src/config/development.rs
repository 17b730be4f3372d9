//! What `daypass up` decides by itself: a configuration like any other, written by us. A developer's file is laid over
//! it.

use std::path::{Path, PathBuf};

use daypass_core::ground::seal::MasterKeyId;
use daypass_core::token::openid_token::{AUTHENTICATED, UNAUTHENTICATED};
use toml::Value;

/// Our client at the sandbox identity provider.
pub const DAYPASS_DEMO_CLIENT_ID: &str = "6d1f0a52-5f3e-4c5e-9d57-0a6f2f9b7c01";
/// The name of the pool, made at the first start.
pub const POOL_NAME: &str = "daypass-demo";
/// The Region that IDs and ARNs carry.
pub const REGION: &str = "us-east-1";
/// The account that ARNs carry.
pub const ACCOUNT_ID: &str = "000000000000";
/// The key in `Logins` of the pool's own developer provider.
pub const DEVELOPER_PROVIDER: &str = "login.daypass.local";
/// The providers, both of them the sandbox.
pub const PROVIDERS: [&str; 2] = ["snapchat", "snapchat-token"];
/// The roles that it has from the start, called as what they trust: everybody who logged in, and guests.
pub const ROLES: [&str; 2] = [AUTHENTICATED, UNAUTHENTICATED];
/// The AWS profile that is written into the directory.
pub const PROFILE: &str = "daypass";
/// The bucket in which everybody has a folder.
pub const BUCKET: &str = "daypass-demo";
/// The app of terminals, whose programs listen on whichever port is free.
pub const TERMINAL: &str = "terminal";
/// Where logins of a terminal return to, on any port (RFC 8252 section 7.3).
pub const TERMINAL_REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// The file of profiles in the directory.
pub const AWS_CONFIG: &str = "aws-config";
/// The file of their keys.
pub const AWS_CREDENTIALS: &str = "aws-credentials";
/// The file of its store in the directory.
pub const DATABASE: &str = "daypass.db";
/// The file of its master key.
pub const MASTER_KEY: &str = "master-key";
/// The file of the one that is to take its place, until it does.
pub const NEXT_MASTER_KEY: &str = "next-master-key";
/// What the files of those before it begin with; the rest is their ID.
pub const OTHER_MASTER_KEY: &str = "master-key-";
/// The file with the secret of our client at the sandbox.
pub const SANDBOX_CLIENT_SECRET: &str = "sandbox-client-secret";
/// The server's port, unless another one is asked for.
pub const PORT: u16 = 9400;

/// Where everything answers on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// The server's port.
    pub server: u16,
    /// The port of the sandbox identity provider.
    pub sandbox: u16,
}

/// Where `up` answers that was not told otherwise.
impl Default for Addresses {
    fn default() -> Self {
        Self { server: PORT, sandbox: PORT + 2 }
    }
}

impl Addresses {
    /// The playground's address by both of its names.
    #[must_use]
    pub fn origins(self) -> [String; 2] {
        ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{}", self.server))
    }

    /// The playground itself, where its logins return to.
    #[must_use]
    pub fn redirect_uris(self) -> [String; 2] {
        self.origins().map(|origin| format!("{origin}/"))
    }

    /// Where the sandbox may send browsers back to: the playground, and the hosted login of each provider.
    #[must_use]
    pub fn sandbox_redirect_uris(self) -> Vec<String> {
        let callback = |id: &&str| format!("http://127.0.0.1:{}/login/{id}/callback", self.server);
        self.redirect_uris().into_iter().chain(PROVIDERS.iter().map(callback)).collect()
    }
}

/// The configuration of development, whose state is in `dir`. Both providers are Snapchat's own block, led to the
/// sandbox; the second takes bare access tokens, to show what that flow
/// costs, and is offered to nobody on the sign-in page.
pub(super) fn text(addresses: Addresses, dir: &Path) -> String {
    let [strict, lax] = PROVIDERS;
    let client_secret = dir.join(SANDBOX_CLIENT_SECRET);
    format!(
        "master_key = {{ file = {master_key} }}\nother_master_keys = [{others}]\nstore.url = {store}\n\
         {pool}[[app]]\nid = \"playground\"\norigins = {origins:?}\nredirect_uris = {redirect_uris:?}\n{strict}{lax}",
        master_key = quoted_path(&dir.join(MASTER_KEY)),
        others = files(&other_master_keys(dir)),
        store = Value::from(format!("sqlite:{}", dir.join(DATABASE).display())),
        pool = pool(addresses),
        origins = addresses.origins(),
        redirect_uris = addresses.redirect_uris(),
        strict = provider(strict, "Snapchat", false, addresses, &client_secret),
        lax = provider(lax, "Snapchat, bare tokens", true, addresses, &client_secret),
    )
}

/// The files of the master keys before this one, which lie in the directory for as long as somebody leaves them there. What
/// cannot be read here is told by whatever needs the directory.
#[must_use]
pub fn other_master_keys(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let is_one =
        |name: &str| name.strip_prefix(OTHER_MASTER_KEY).is_some_and(|id| MasterKeyId::parse(id).is_some());
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut files: Vec<_> = names.filter(|name| is_one(name)).map(|name| dir.join(name)).collect();
    files.sort();
    files
}

/// References to files.
fn files(files: &[PathBuf]) -> String {
    let references = files.iter().map(|file| format!("{{ file = {} }}", quoted_path(file)));
    references.collect::<Vec<_>>().join(", ")
}

/// A path as TOML has it, whose escapes are not Rust's. It is UTF-8: no other folder is taken.
fn quoted_path(path: &Path) -> Value {
    Value::from(&*path.to_string_lossy())
}

/// The app of terminals. A developer's file may have one of its own.
pub(super) fn terminal() -> String {
    format!(
        "[[app]]\nid = \"{TERMINAL}\"\nname = \"Your terminal\"\norigins = []\nredirect_uris = [\"{TERMINAL_REDIRECT_URI}\"]\n"
    )
}

/// What every configuration needs.
pub(super) fn pool(addresses: Addresses) -> String {
    format!(
        "public_url = \"http://127.0.0.1:{server}\"\n\
         [pool]\nname = \"{POOL_NAME}\"\ndeveloper_provider = \"{DEVELOPER_PROVIDER}\"\n\
         region = \"{REGION}\"\naccount_id = \"{ACCOUNT_ID}\"\n",
        server = addresses.server,
    )
}

fn provider(id: &str, name: &str, takes_unbound: bool, addresses: Addresses, client_secret: &Path) -> String {
    format!(
        "[[provider]]\nid = {id:?}\nname = {name:?}\ncatalogue = \"snapchat\"\nclient_id = \"{DAYPASS_DEMO_CLIENT_ID}\"\n\
         client_secret = {{ file = {client_secret} }}\n\
         accept_unbound_access_tokens = {takes_unbound}\nhidden = {takes_unbound}\n\
         authorize.url = \"{idp}/accounts/oauth2/auth\"\n\
         exchange.url = \"{idp}/accounts/oauth2/token\"\n\
         profile.url = \"{idp}/v1/me\"\n",
        client_secret = quoted_path(client_secret),
        idp = format_args!("http://127.0.0.1:{}", addresses.sandbox),
    )
}
