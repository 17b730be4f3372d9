//! A receiver of syslog for tests. Its certificate is for `localhost`, and nobody trusts it who was not told to; the key is in the
//! repository, and good for nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap()
}

/// Trusts the certificate.
pub(crate) fn trusting() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

pub(super) fn acceptor() -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate()], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Reads each connection to its end. What it read can be heard, unless the connection broke before.
pub(crate) async fn listening(with_tls: bool) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let read = if with_tls {
                match acceptor().accept(stream).await {
                    Ok(stream) => to_end(stream).await,
                    Err(_) => None,
                }
            } else {
                to_end(stream).await
            };
            if let Some(text) = read {
                let _ = tell.send(text);
            }
        }
    });
    (address, told)
}

async fn to_end(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    // Whoever sent it may have gone away.
    let _ = stream.shutdown().await;
    Some(text)
}
