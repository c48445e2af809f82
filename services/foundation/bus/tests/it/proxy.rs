//! A line to a server that can be cut, stalled and restored.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    /// Nothing comes through, and nobody is told.
    Stalled,
    /// Connections break, and new ones are refused.
    Cut,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
}

// === impl Proxy ===

impl Proxy {
    /// A line to the server of this URL, in the given state.
    pub(crate) async fn start(url: &str, line: Line) -> Self {
        let server = authority(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            line: watch::Sender::new(line),
        };
        let line = proxy.line.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *line.borrow() != Line::Cut
                    && let Ok(server) = TcpStream::connect(&server).await
                {
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::spawn(carry(from_client, to_server, line.subscribe()));
                    tokio::spawn(carry(from_server, to_client, line.subscribe()));
                }
            }
        });
        proxy
    }

    /// The URL of the server over this line.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(authority(url), &self.address.to_string())
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split(['/', '?']).next().unwrap()
}

/// Copies until the line is cut. What was read and not written then is lost, as on a real line.
async fn carry(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let is_open = line.wait_for(|line| *line != Line::Stalled);
        if is_open.await.is_ok_and(|line| *line == Line::Cut) {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = line.changed() => continue,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                let written =
                    tokio::time::timeout(Duration::from_secs(30), to.write_all(&buffer[..count]));
                if !matches!(written.await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}
