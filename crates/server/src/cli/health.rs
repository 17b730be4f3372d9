//! `daypass health`: whether a server lives, or can do its work, for whoever looks after a container that has nothing else in it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::{Client, Response, StatusCode, redirect};
use serde::Deserialize;

use super::{print, socket_address};

/// A server answers within a few milliseconds; one that waits for its store says so later.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whom to ask.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where `daypass serve` listens, as it was told
    #[arg(long, default_value = "127.0.0.1:9400", value_name = "ADDRESS:PORT", value_parser = socket_address)]
    listen: SocketAddr,
    /// Ask whether it can do its work, which takes its store; not for whoever restarts what cannot
    #[arg(long)]
    ready: bool,
}

/// What of a refusal is told.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    detail: String,
}

pub async fn run(Arguments { listen, ready }: Arguments) -> anyhow::Result<()> {
    let address = reachable(listen);
    // Neither a proxy nor another server is who was meant.
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(PATIENCE).build()?;
    let path = if ready { "readyz" } else { "healthz" };
    let asked = client.get(format!("http://{address}/{path}")).send().await;
    if asked.as_ref().is_err_and(reqwest::Error::is_timeout) {
        bail!("the server on {address} did not answer within {} seconds", PATIENCE.as_secs());
    }
    let answer = asked.map_err(reqwest::Error::without_url);
    let answer = answer.with_context(|| {
        format!("no server answers on {address}; --listen takes what `daypass serve --listen` was given")
    })?;
    match answer.status() {
        StatusCode::OK => Ok(print(if ready { "ready" } else { "alive" })?),
        status => match refusal(answer).await {
            Some(Refusal { code, detail }) => {
                bail!("the server on {address} is not ready: {code}: {detail}")
            }
            None => bail!("what listens on {address} is no Daypass, or not it alone: it answered {status}"),
        },
    }
}

/// One of Daypass's own comes in one piece.
async fn refusal(mut answer: Response) -> Option<Refusal> {
    serde_json::from_slice(&answer.chunk().await.ok()??).ok()
}

/// Whoever listens on every address is asked on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_asked_here() {
        for (listen, asked) in [
            ("0.0.0.0:9400", "127.0.0.1:9400"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:9400", "192.0.2.1:9400"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
