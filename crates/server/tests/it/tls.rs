//! TLS, with certificates made for the test.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream, SupportedProtocolVersion, crypto,
};

use crate::setup::{Server, folder};

/// Writes a certificate of this name, and its key, and gives the certificate.
fn certificate(folder: &Path, name: &str) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    fs::write(folder.join("server.crt"), cert.pem()).unwrap();
    fs::write(folder.join("server.key"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

/// Asks, trusting this certificate; what was answered, or why nothing was.
fn ask(
    server: &Server,
    trusted: &CertificateDer<'static>,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
    request: &str,
) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let sent = stream.write_all(format!("{request}\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
    sent.map_err(|it| it.to_string())?;
    let mut text = Vec::new();
    // That the other side closes without a goodbye is no matter here.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).map_err(|it| it.to_string())
}

const LIVEZ: &str = "GET /livez HTTP/1.1";

fn config(folder: &Path) -> String {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    format!(
        "[server]\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n",
        path("server.crt").display(),
        path("server.key").display()
    )
}

#[test]
fn it_speaks_tls_and_takes_another_certificate_while_it_runs() {
    let (folder, data) = folder();
    let folder = folder.path();
    let first = certificate(folder, "one.test");
    let server = Server::start(&data, &config(folder));
    for version in [&TLS12, &TLS13] {
        let answer = ask(&server, &first, "one.test", &[version], LIVEZ).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{version:?}: {answer}");
    }
    let other = certificate(tempfile::tempdir().unwrap().path(), "one.test");
    assert!(ask(&server, &other, "one.test", &[&TLS13], LIVEZ).is_err(), "a certificate that is not trusted");
    assert!(ask(&server, &first, "two.test", &[&TLS13], LIVEZ).is_err(), "another name");
    // Who does not speak it is told nothing.
    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut text = Vec::new();
    let _ = plain.read_to_end(&mut text);
    assert!(!text.starts_with(b"HTTP/"), "{text:?}");
    // A certificate that cannot be used changes nothing.
    fs::write(folder.join("server.crt"), "nothing").unwrap();
    let key = server.admin.as_deref().unwrap();
    let request = format!("POST /api/v1/config/reload HTTP/1.1\r\nauthorization: ApiKey {key}");
    let reload = || ask(&server, &first, "one.test", &[&TLS13], &request).unwrap();
    assert!(reload().starts_with("HTTP/1.1 409 "));
    assert!(ask(&server, &first, "one.test", &[&TLS13], LIVEZ).is_ok());
    let second = certificate(folder, "one.test");
    assert!(reload().starts_with("HTTP/1.1 200 "));
    assert!(ask(&server, &second, "one.test", &[&TLS13], LIVEZ).unwrap().contains("alive"));
    assert!(ask(&server, &first, "one.test", &[&TLS13], LIVEZ).is_err(), "the old one is gone");
    server.stop();
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let (folder, data) = folder();
    certificate(folder.path(), "one.test");
    let text = fs::read_to_string(folder.path().join("server.key")).unwrap();
    certificate(folder.path(), "one.test");
    fs::write(folder.path().join("server.key"), text).unwrap();
    let started = std::panic::catch_unwind(|| Server::start(&data, &config(folder.path())));
    let Err(panic) = started else { panic!("it started") };
    assert!(panic.downcast::<String>().unwrap().contains("server.crt"));
}
