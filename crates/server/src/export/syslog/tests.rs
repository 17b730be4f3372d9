use std::net::SocketAddr;

use daypass_core::store::{EventPosition, KeptEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::testing::event;
use super::testing::{acceptor, listening, trusting};
use super::*;
use crate::provider_http::{AllowedHost, Reach};

const TAKEN: Answer = Answer::Taken { refused: 0 };

fn syslog(host: &str, address: SocketAddr) -> Syslog {
    let reach = Reach::with([AllowedHost::try_from(host.to_owned()).unwrap()]);
    let peer = Peer { host: host.into(), port: address.port(), reach, tls: None };
    Syslog { peer, installation: "login.example.com".into() }
}

fn batch(numbers: impl IntoIterator<Item = u64>) -> Batch {
    let kept = |number| KeptEvent { position: EventPosition(number), event: event(number), damaged: 0 };
    Batch::of("trail", numbers.into_iter().map(kept).collect(), usize::MAX).unwrap()
}

/// The messages of a stream, by their lengths.
fn messages(mut stream: &str) -> Vec<&str> {
    let mut messages = Vec::new();
    while !stream.is_empty() {
        let (length, rest) = stream.split_once(' ').unwrap();
        let (message, rest) = rest.split_at(length.parse().unwrap());
        messages.push(message);
        stream = rest;
    }
    messages
}

#[tokio::test]
async fn a_batch_is_a_message_for_each_event_in_the_order_of_the_trail() {
    for with_tls in [false, true] {
        let (address, mut told) = listening(with_tls).await;
        let mut syslog = syslog("localhost", address);
        syslog.peer.tls = with_tls.then(trusting);
        for numbers in [vec![1, 2, 3], vec![4]] {
            assert_eq!(syslog.deliver(&batch(numbers.clone())).await, TAKEN, "{with_tls}");
            let text = told.recv().await.unwrap();
            let messages = messages(&text);
            assert_eq!(messages.len(), numbers.len());
            for (message, number) in messages.iter().zip(numbers) {
                assert!(message.contains(&format!("\"sequence\":{number}")), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_to_whom_nobody_trusts() {
    let (address, mut told) = listening(true).await;
    let mut syslog = syslog("localhost", address);
    syslog.peer.tls = Some(tls_of_the_system().unwrap());
    let Answer::Away(why) = syslog.deliver(&batch([1])).await else { panic!("it was believed") };
    assert!(why.contains("certificate"), "{why}");
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_certificate_is_for_the_host_that_was_named() {
    let (address, mut told) = listening(true).await;
    // The same machine by a name that is not in the certificate.
    let mut syslog = syslog("127.0.0.1", address);
    syslog.peer.tls = Some(trusting());
    assert_eq!(syslog.deliver(&batch([1])).await, TAKEN);
    syslog.peer.host = "login.localhost".into();
    syslog.peer.reach = Reach::with([AllowedHost::Name("login.localhost".into())]);
    let Answer::Away(why) = syslog.deliver(&batch([2])).await else { panic!("it was believed") };
    assert!(why.starts_with("unreachable"), "{why}");
    assert!(told.recv().await.unwrap().contains("\"sequence\":1"));
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_private_address_is_out_of_reach_unless_it_was_named() {
    let (address, _) = listening(false).await;
    let mut syslog = syslog("127.0.0.1", address);
    syslog.peer.reach = Reach::default();
    let Answer::Away(why) = syslog.deliver(&batch([1])).await else { panic!("it was reached") };
    assert!(why.contains("private address"), "{why}");
}

/// A receiver that ends in the middle of a batch: what it read is nobody's to count on.
#[tokio::test]
async fn a_connection_that_breaks_has_taken_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let syslog = syslog("127.0.0.1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 16]).await.unwrap();
        // What is unread when it goes away makes it a reset.
    });
    let Answer::Away(why) = syslog.deliver(&batch(1..=2_000)).await else { panic!("it was taken") };
    assert!(why.starts_with("unreachable"), "{why}");
}

/// Anybody on the way can end TCP, but not TLS.
#[tokio::test]
async fn a_connection_that_is_cut_under_tls_has_taken_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut syslog = syslog("localhost", listener.local_addr().unwrap());
    syslog.peer.tls = Some(trusting());
    let cut = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor().accept(stream).await.unwrap();
        let read = stream.read_to_end(&mut Vec::new()).await.unwrap();
        // A FIN alone, after everything was read.
        stream.get_mut().0.shutdown().await.unwrap();
        (stream, read)
    });
    let answer = syslog.deliver(&batch([1])).await;
    assert_eq!(answer, Answer::Away("unreachable: the connection ended without close_notify".into()));
    assert!(cut.await.unwrap().1 > 0);
}

#[tokio::test]
async fn nobody_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let syslog = syslog("127.0.0.1", listener.local_addr().unwrap());
    drop(listener);
    let Answer::Away(why) = syslog.deliver(&batch([1])).await else { panic!("it was taken") };
    assert!(why.starts_with("unreachable"), "{why}");
}

#[tokio::test]
async fn who_never_reads_to_the_end_has_taken_nothing_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let syslog = syslog("127.0.0.1", listener.local_addr().unwrap());
    let delivering = tokio::spawn(async move { syslog.deliver(&batch([1])).await });
    let _held = listener.accept().await.unwrap();
    // From here on only the limit can come.
    tokio::time::pause();
    assert_eq!(delivering.await.unwrap(), Answer::Away("timed out".into()));
}
