//! What may sit between an engine and its server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, copy_bidirectional, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::cluster::folder;

/// It is for `localhost`, and nobody trusts it who was not told to. The key is in the repository, and good for nothing else.
pub const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/certificate.pem");

pub async fn server() -> UnixStream {
    UnixStream::connect(Path::new(folder()).join(".s.PGSQL.5432")).await.unwrap()
}

/// A port of this machine, and what is done with each connection to it.
async fn port<F: Future<Output = std::io::Result<()>> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    port
}

/// TLS, and behind it the server.
pub async fn tls() -> u16 {
    behind_tls(
        |mut stream| async move { copy_bidirectional(&mut stream, &mut server().await).await.map(drop) },
    )
    .await
}

/// A port with TLS, and what is done behind it.
pub async fn behind_tls<F: Future<Output = std::io::Result<()>> + Send + 'static>(
    serve: impl Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
) -> u16 {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (acceptor, serve) = (TlsAcceptor::from(Arc::new(config)), Arc::new(serve));
    port(move |mut stream| {
        let (acceptor, serve) = (acceptor.clone(), serve.clone());
        async move {
            // Whether there is TLS here: eight bytes, and yes.
            stream.read_exact(&mut [0; 8]).await?;
            stream.write_all(b"S").await?;
            serve(acceptor.accept(stream).await?).await
        }
    })
    .await
}

/// A server that does what a text is in, and whose answer to that gets lost with the connection, once.
pub async fn losing_the_answer_to(text: &'static str) -> u16 {
    let is_lost = Arc::new(AtomicBool::new(false));
    port(move |mut client| {
        let is_lost = is_lost.clone();
        async move {
            let (mut server, mut asked) = (server().await, vec![0; 8192]);
            loop {
                let mut answer = vec![0; 8192];
                tokio::select! {
                    read = client.read(&mut asked) => {
                        let read = &asked[..read?];
                        server.write_all(read).await?;
                        let is_it = read.windows(text.len()).any(|window| window == text.as_bytes());
                        if read.is_empty() || (is_it && !is_lost.swap(true, Ordering::Relaxed)) {
                            return server.read(&mut answer).await.map(drop);
                        }
                    }
                    read = server.read(&mut answer) => match read? {
                        0 => return Ok(()),
                        read => client.write_all(&answer[..read]).await?,
                    },
                }
            }
        }
    })
    .await
}

/// A server without TLS.
pub async fn no_tls() -> u16 {
    port(|mut stream| async move {
        stream.read_exact(&mut [0; 8]).await?;
        stream.write_all(b"N").await
    })
    .await
}

/// A server that loses its clients' statements from the moment that it is told to: what was prepared has another name.
pub async fn losing_statements(loses: Arc<AtomicBool>) -> u16 {
    port(move |stream| {
        let loses = loses.clone();
        async move {
            let (from_client, mut to_client) = split(stream);
            let (mut from_server, to_server) = split(server().await);
            tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            rename(from_client, to_server, &loses).await
        }
    })
    .await
}

/// Passes messages on. A `Bind` has the name of a portal, which is empty here, and that of a statement.
async fn rename(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    loses: &AtomicBool,
) -> std::io::Result<()> {
    let mut kind = None;
    loop {
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        if kind == Some(b'B') && body[1] == b's' && loses.load(Ordering::Relaxed) {
            body[1] = b'x';
        }
        if let Some(kind) = kind {
            to.write_u8(kind).await?;
        }
        to.write_u32(length).await?;
        to.write_all(&body).await?;
        // Only the first message has no kind.
        kind = Some(from.read_u8().await?);
    }
}
