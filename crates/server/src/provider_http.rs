//! The way to identity providers over the network. The far end is somebody else's: no redirect is
//! followed, an answer has to come in time, and it may not be longer than any honest one.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::{Bytes, BytesMut};
use daypass_core::provider::http::{ProviderHttp, ProviderHttpError};

/// What a provider is given.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To accept a connection.
    pub connect: Duration,
    /// For the whole answer.
    pub total: Duration,
    /// The size of an answer's body, in bytes.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(10), max_bytes: 64 * 1024 }
    }
}

/// A pooled HTTP client.
#[derive(Debug, Clone)]
pub struct ReqwestHttp {
    client: reqwest::Client,
    limits: Limits,
}

impl ReqwestHttp {
    /// A client with these limits.
    ///
    /// # Errors
    /// If TLS cannot be set up, for want of the system's CA certificates.
    pub fn new(limits: Limits) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, limits })
    }
}

#[async_trait]
impl ProviderHttp for ReqwestHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.limits.max_bytes {
                return Err(ProviderHttpError::AnswerTooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        Ok(response)
    }
}

/// A URL can hold a token, so no error of ours shows one.
fn failed(error: reqwest::Error) -> ProviderHttpError {
    if error.is_timeout() {
        ProviderHttpError::TimedOut
    } else {
        ProviderHttpError::Unreachable(error.without_url().to_string())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const LIMITS: Limits =
        Limits { connect: Duration::from_millis(500), total: Duration::from_millis(300), max_bytes: 1024 };

    /// Asks a server that answers every connection with `answer` and then holds the line.
    async fn ask(answer: Vec<u8>) -> Result<Response<Bytes>, ProviderHttpError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/me?token=hidden", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            stream.write_all(&answer).await.unwrap();
            std::future::pending::<()>().await;
        });
        let request = Request::get(url).body(Bytes::new()).unwrap();
        ReqwestHttp::new(LIMITS).unwrap().send(request).await
    }

    #[tokio::test]
    async fn an_answer_comes_back_with_its_status() {
        let answer = ask(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno".to_vec()).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (401, &b"no"[..]));
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_a_way_to_go() {
        let answer =
            ask(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec());
        assert_eq!(answer.await.unwrap().status(), 302);
    }

    #[tokio::test]
    async fn silence_times_out_before_and_within_an_answer() {
        assert!(matches!(ask(Vec::new()).await, Err(ProviderHttpError::TimedOut)));
        let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec();
        assert!(matches!(ask(stalled).await, Err(ProviderHttpError::TimedOut)));
    }

    #[tokio::test]
    async fn an_over_long_answer_is_cut_off_whatever_length_it_declares() {
        let mut declared = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec();
        declared.resize(declared.len() + 2000, b'x');
        assert!(matches!(ask(declared).await, Err(ProviderHttpError::AnswerTooLarge)));

        let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n800\r\n".to_vec();
        chunked.resize(chunked.len() + 0x800, b'x');
        chunked.extend_from_slice(b"\r\n");
        assert!(matches!(ask(chunked).await, Err(ProviderHttpError::AnswerTooLarge)));
    }

    #[tokio::test]
    async fn an_unreachable_provider_is_named_without_its_url() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/me?token=hidden", listener.local_addr().unwrap());
        drop(listener);
        let request = Request::get(url).body(Bytes::new()).unwrap();
        let error = ReqwestHttp::new(LIMITS).unwrap().send(request).await.unwrap_err();
        assert!(
            matches!(&error, ProviderHttpError::Unreachable(text) if !text.contains("hidden")),
            "{error}"
        );
    }
}
