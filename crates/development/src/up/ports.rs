//! Three ports beside each other on the loopback interface: the server, S3, the sandbox. Anyone may sign in
//! as anyone at the sandbox, so nothing listens to the network.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

use daypass_server::config::development::Addresses;

/// How often three free neighbours are looked for.
const ATTEMPTS: usize = 50;

/// One bound port.
#[derive(Debug)]
pub(super) struct Bound {
    pub listener: TcpListener,
    port: u16,
}

impl Bound {
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn new(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }
}

/// The three of them.
#[derive(Debug)]
pub(super) struct Ports {
    pub server: Bound,
    pub s3: Bound,
    pub sandbox: Bound,
}

impl Ports {
    /// Binds `port` and the next two, or any three that are free.
    pub async fn bind(port: u16) -> anyhow::Result<Self> {
        if port != 0 {
            return Self::bind_from(port).await;
        }
        for _ in 1..ATTEMPTS {
            if let Ok(ports) = Self::bind_from(0).await {
                return Ok(ports);
            }
        }
        Self::bind_from(0).await
    }

    async fn bind_from(port: u16) -> anyhow::Result<Self> {
        let server = bind(port).await?;
        let next = |offset: u16| {
            server.port.checked_add(offset).context("there is no port beyond 65535: choose a lower --port")
        };
        Ok(Self { s3: bind(next(1)?).await?, sandbox: bind(next(2)?).await?, server })
    }

    /// Where everything answers.
    pub fn addresses(&self) -> Addresses {
        Addresses { server: self.server.port, sandbox: self.sandbox.port }
    }
}

async fn bind(port: u16) -> anyhow::Result<Bound> {
    let bound = Bound::new(port).await;
    bound.with_context(|| {
        format!(
            "cannot listen on 127.0.0.1:{port}: end what does, or choose another --port (0 takes free ones)"
        )
    })
}
