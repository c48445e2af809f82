//! Which RabbitMQ it is. lapin does not say, so the first frame of a handshake is read on a connection of its own.
//!
//! This shows also whether anybody answers at all, before lapin, which would wait without end, is let loose on the address.

use std::io;

use futures::io::{AsyncReadExt as _, AsyncWriteExt as _};
use lapin::{
    tcp::{AMQPUriTcpExt as _, OwnedTLSConfig},
    uri::AMQPUri,
};

/// What a client says first.
const GREETING: &[u8] = b"AMQP\0\0\x09\x01";
/// Type, channel and length of a frame.
const FRAME_HEADER_BYTES: usize = 7;
/// More than any broker says of itself.
const MAX_FRAME_BYTES: usize = 64 * 1024;
/// The entry `version` of the server's properties: a short string, then the type of a long one.
const VERSION_ENTRY: &[u8] = b"\x07versionS";

/// Major and minor version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerVersion {
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// Asks the server; None when it does not say.
pub(super) async fn probe(uri: &AMQPUri) -> io::Result<Option<ServerVersion>> {
    let runtime = lapin::runtime::default_runtime().map_err(io::Error::other)?;
    let tls = OwnedTLSConfig::default();
    let mut stream = uri
        .connect_with_config_async(tls.as_ref(), &runtime)
        .await?;
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let mut header = [0; FRAME_HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let [kind, _, _, length @ ..] = header;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    // A server of another protocol answers with its own greeting.
    if kind != 1 || length > MAX_FRAME_BYTES {
        let error = "the server does not speak AMQP 0-9-1";
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(version_in(&frame))
}

fn version_in(frame: &[u8]) -> Option<ServerVersion> {
    let at = frame
        .windows(VERSION_ENTRY.len())
        .position(|window| window == VERSION_ENTRY)?;
    let (length, rest) = frame[at + VERSION_ENTRY.len()..].split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    let mut numbers = text.split('.').map(str::parse);
    Some(ServerVersion {
        major: numbers.next()?.ok()?,
        minor: numbers.next()?.ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_among_the_properties() {
        let frame = |version: &str| {
            let mut frame =
                b"\0\x0a\0\x0a\0\x09\0\0\x01\xd2\x07productS\0\0\0\x08RabbitMQ".to_vec();
            frame.extend(VERSION_ENTRY);
            frame.extend(u32::try_from(version.len()).unwrap_or(0).to_be_bytes());
            frame.extend(version.as_bytes());
            frame.extend(b"\0\0\0\x0eAMQPLAIN PLAIN");
            frame
        };
        for (text, expected) in [
            ("3.10.8", Some((3, 10))),
            ("4.3.0-rc.1", Some((4, 3))),
            ("4", None),
            ("x.y", None),
        ] {
            let found = version_in(&frame(text)).map(|version| (version.major, version.minor));
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(version_in(b"\x07versionS\0\0\0\xff3.1"), None);
        assert_eq!(version_in(b""), None);
    }
}
