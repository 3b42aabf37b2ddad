//! The load: many clients, each saying something to all.
//!
//! A small one runs always. The one that counts, 1,000 clients with 10 messages each, is
//! `cargo test --release --test server -- --ignored --nocapture soak_full_load`.

use std::time::{Duration, Instant};

use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::sniffer::Sniffer;
use crate::support::{Client, Server};

/// A load.
#[derive(Clone, Copy)]
struct Load {
    clients: usize,
    /// Messages that each client says.
    messages: usize,
    /// Messages a second, of all clients together.
    pace: u32,
    limit: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
struct Figures {
    delivered: usize,
    lost: usize,
    reordered: usize,
    seconds: f64,
    peak_kib: u64,
}

#[tokio::test]
async fn small_load() {
    let load = Load {
        clients: 100,
        messages: 10,
        pace: 1000,
        limit: Duration::from_secs(60),
    };
    let figures = load.run().await;
    assert_eq!(
        (figures.delivered, figures.lost, figures.reordered),
        (100_000, 0, 0),
        "{figures:?}"
    );
}

/// The analyzer beside it, at a rate that a debug build can hold: it reports every message.
#[tokio::test]
async fn the_analyzer_sees_all_of_a_load() {
    let load = Load {
        clients: 30,
        messages: 10,
        pace: 100,
        limit: Duration::from_secs(60),
    };
    let server = Server::start(&[]);
    let sniffer = match Sniffer::start(&["--format", "json", "-B", "16384"], server.ws.port()) {
        Ok(sniffer) => sniffer,
        Err(why) => return println!("SKIPPED: {why}"),
    };
    let figures = load.run_on(&server).await;
    assert_eq!(
        (figures.delivered, figures.lost, figures.reordered),
        (9000, 0, 0),
        "{figures:?}"
    );
    let says = r#""text":"{\"type\":\"say\""#;
    sniffer.wait_until("all that was said", |output| output.matches(says).count() >= 9300);
    let (output, code) = sniffer.stop();
    assert_eq!(code, Some(0));
    let says = |direction: &str| {
        output
            .lines()
            .filter(|line| line.contains(direction) && line.contains(says))
            .count()
    };
    assert_eq!(
        (says(r#""client-to-server""#), says(r#""server-to-client""#)),
        (300, 9000)
    );
    assert!(!output.contains(r#""event":"violation""#) && !output.contains(r#""event":"gap""#));
}

#[tokio::test]
#[ignore = "long: make soak"]
async fn soak_full_load() {
    let pace = std::env::var("PACE")
        .ok()
        .and_then(|pace| pace.parse().ok())
        .unwrap_or(500);
    let load = Load {
        clients: 1000,
        messages: 10,
        pace,
        limit: Duration::from_secs(600),
    };
    let figures = load.run().await;
    println!(
        "{} deliveries in {:.1} s ({:.0} a second, {:.0} messages a second), lost {}, reordered {}, peak memory of the server {:.1} MiB",
        figures.delivered,
        figures.seconds,
        figures.delivered as f64 / figures.seconds,
        10_000.0 / figures.seconds,
        figures.lost,
        figures.reordered,
        figures.peak_kib as f64 / 1024.0,
    );
    assert_eq!((figures.delivered, figures.lost, figures.reordered), (10_000_000, 0, 0));
    assert!(figures.peak_kib < 200 << 10);
}

impl Load {
    async fn run(self) -> Figures {
        self.run_on(&Server::start(&["--max-per-address", "1000"])).await
    }

    async fn run_on(self, server: &Server) -> Figures {
        let mut clients = Vec::new();
        for number in 0..self.clients {
            clients.push(Client::login(server, &format!("client {number}")).await);
        }
        let total = self.clients * self.messages;
        let start = Instant::now();
        let begin = tokio::time::Instant::now() + Duration::from_millis(200);
        let mut listeners = Vec::new();
        let mut talkers = Vec::new();
        for (number, client) in clients.into_iter().enumerate() {
            let (mut sink, stream) = client.socket.split();
            listeners.push(tokio::spawn(
                async move { timeout(self.limit, listen(stream, total)).await },
            ));
            talkers.push(tokio::spawn(async move {
                for message in 0..self.messages {
                    let turn = (message * self.clients + number) as u32;
                    sleep_until(begin + Duration::from_secs(1) * turn / self.pace).await;
                    let text = format!(r#"{{"type":"say","to_uid":"all","content":"{message} of client {number}"}}"#);
                    if sink.send(Message::text(text)).await.is_err() {
                        break;
                    }
                }
                sink
            }));
        }
        let mut figures = Figures::default();
        for listener in listeners {
            let (delivered, reordered) = listener.await.unwrap().unwrap_or((0, 0));
            figures.delivered += delivered;
            figures.reordered += reordered;
        }
        figures.lost = total * self.clients - figures.delivered;
        figures.seconds = start.elapsed().as_secs_f64();
        figures.peak_kib = server.peak_memory();
        if figures.lost > 0 {
            let log = server.log();
            println!(
                "{}",
                log.lines()
                    .filter(|line| line.contains("disconnect"))
                    .take(5)
                    .collect::<Vec<_>>()
                    .join("\n")
            );
        }
        drop(talkers);
        figures
    }
}

/// Counts what one client hears: how many messages, and how many of them out of their sender's order.
async fn listen(mut stream: SplitStream<WebSocketStream<TcpStream>>, total: usize) -> (usize, usize) {
    let mut next: std::collections::HashMap<u64, usize> = std::collections::HashMap::new();
    let (mut delivered, mut reordered) = (0, 0);
    while delivered < total {
        let Some(Ok(message)) = stream.next().await else {
            break;
        };
        let Message::Text(text) = message else { continue };
        let Some(rest) = text.strip_prefix(r#"{"type":"say","from_uid":"#) else {
            continue;
        };
        let from = rest.split(',').next().and_then(|uid| uid.parse().ok()).expect("a uid");
        let content = rest.split_once(r#""content":""#).expect("content").1;
        let number: usize = content
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .expect("a number");
        let expected = next.entry(from).or_default();
        reordered += usize::from(number != *expected);
        *expected = number + 1;
        delivered += 1;
    }
    (delivered, reordered)
}
