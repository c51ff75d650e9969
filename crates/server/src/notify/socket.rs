//! Lines to a server of syslog: a datagram each, or counted, one after the other.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::config::Protocol;

/// How long we wait for the other side to end, too, when all is written: one that was gone says so then.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends lines.
pub(super) async fn send(
    address: &str,
    protocol: Protocol,
    trust: Option<Arc<ClientConfig>>,
    lines: &[String],
) -> Result<(), String> {
    let wrong = |it: io::Error| format!("{address}: {it}");
    match (protocol, trust) {
        (Protocol::Udp, _) => udp(address, lines).await.map_err(wrong),
        (Protocol::Tcp, _) => {
            counted(TcpStream::connect(address).await.map_err(wrong)?, lines).await.map_err(wrong)
        }
        (Protocol::Tls | Protocol::StartTls, Some(trust)) => {
            let host = address.rsplit_once(':').map_or(address, |it| it.0).trim_matches(['[', ']']);
            let name = ServerName::try_from(host.to_owned()).map_err(|it| format!("{address}: {it}"))?;
            let stream = TcpStream::connect(address).await.map_err(wrong)?;
            let stream = TlsConnector::from(trust).connect(name, stream).await.map_err(wrong)?;
            counted(stream, lines).await.map_err(wrong)
        }
        (Protocol::Tls | Protocol::StartTls, None) => Err("nobody is trusted".to_owned()),
    }
}

async fn udp(address: &str, lines: &[String]) -> io::Result<()> {
    let to = lookup_host(address).await?.next();
    let to = to.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))?;
    let any: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(to).await?;
    for line in lines {
        socket.send(line.as_bytes()).await?;
    }
    Ok(())
}

/// Each with its length before it: a line may hold anything (RFC 6587, RFC 5425).
async fn counted(mut stream: impl AsyncRead + AsyncWrite + Unpin, lines: &[String]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(format!("{} ", line.len()).as_bytes());
        bytes.extend_from_slice(line.as_bytes());
    }
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let mut rest = [0; 256];
    let end = async {
        loop {
            match stream.read(&mut rest).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // It need not say good-bye.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    tokio::time::timeout(FAREWELL, end).await.unwrap_or(Ok(()))
}

/// The name of this machine, as the system has it.
pub(super) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}
