//! A connection to a receiver of syslog. What it says of itself has to be true: over TLS by a certificate that this system trusts,
//! and at an address that is within reach.

use std::io::{Error, ErrorKind};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::provider_http::Reach;

/// Where a receiver is, and how it is reached.
pub(crate) struct Peer {
    pub host: String,
    pub port: u16,
    pub reach: Reach,
    pub tls: Option<Arc<ClientConfig>>,
}

/// TLS as this system has it: whom it trusts, we trust.
pub(crate) fn tls_of_the_system() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_platform_verifier()?.with_no_client_auth()))
}

impl Peer {
    /// Hands something over on a connection of its own, and waits until the other end has read all of it and closes, too.
    pub(super) async fn hand_over(&self, text: &[u8]) -> std::io::Result<()> {
        let stream = self.connect().await?;
        let Some(tls) = &self.tls else { return send(stream, text).await };
        let name = ServerName::try_from(self.host.clone()).map_err(Error::other)?;
        send(TlsConnector::from(tls.clone()).connect(name, stream).await?, text).await
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let mut failed = Error::from(ErrorKind::NotFound);
        for address in self.reach.resolve(&self.host, self.port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

async fn send(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> std::io::Result<()> {
    stream.write_all(text).await?;
    stream.shutdown().await?;
    // Whatever it says means nothing in syslog; that it ends means that it has read to the end. Over TLS only a close_notify is an
    // end (RFC 5425, section 4.4): a connection that is cut gives an error here, because anybody on the way can cut one.
    let mut said = [0; 1024];
    while stream.read(&mut said).await.map_err(named)? > 0 {}
    Ok(())
}

fn named(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::UnexpectedEof, "the connection ended without close_notify")
        }
        _ => error,
    }
}
