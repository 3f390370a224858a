//! TLS for the listener: the certificate and its key, which a reload replaces.

use crate::config::TlsFiles;
use crate::failure::{Failure, Result};
use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig};
use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// The certificate that new connections are answered with.
#[derive(Debug)]
pub struct Certificates(RwLock<Arc<CertifiedKey>>);

impl Certificates {
    /// Reads certificate and key. One that is out of its time is used all the same, with a warning.
    pub fn open(files: &TlsFiles) -> Result<Arc<Self>> {
        let read = read(files)?;
        Ok(Arc::new(Self(RwLock::new(Arc::new(read)))))
    }

    /// Reads them again, for the connections that come from now on. What is bad changes nothing.
    pub fn reload(&self, files: &TlsFiles) -> Result {
        let read = Arc::new(read(files)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// What greets clients, always with the certificate of then.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::of("TLS", error))?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn read(files: &TlsFiles) -> Result<CertifiedKey> {
    let (certificate, key) = (&files.certificate, &files.key);
    let of_certificate = |error: &dyn Display| Failure::of(format_args!("tls.certificate {}", certificate.display()), error);
    let of_key = |error: &dyn Display| Failure::of(format_args!("tls.key {}", key.display()), error);
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| of_certificate(&told(&error, "certificate")))?;
    let Some(own) = chain.first().cloned() else { return Err(of_certificate(&told(&pem::Error::NoItemsFound, "certificate"))) };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| of_key(&told(&error, "private key")))?;
    let read = CertifiedKey::from_der(chain, private, &provider()).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            of_key(&format_args!("is not the key of tls.certificate {}", certificate.display()))
        }
        Error::InvalidCertificate(_) => of_certificate(&error),
        error => of_key(&error),
    })?;
    warn_of_time(certificate, &own);
    Ok(read)
}

/// What is wrong with a PEM file.
fn told(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("holds no {what} in PEM (-----BEGIN …-----)"),
        error => format!("is no PEM file with a {what}: {error}"),
    }
}

/// Warns of a certificate that has expired or does not hold yet.
fn warn_of_time(file: &Path, certificate: &CertificateDer<'_>) {
    let time = |at: UnixTime| Timestamp::UNIX_EPOCH + Duration::from_secs(at.as_secs());
    // No root signed it: only whether its time is right is looked at, which comes first.
    let verified = ParsedCertificate::try_from(certificate).and_then(|parsed| {
        let (roots, algorithms) = (RootCertStore::empty(), provider().signature_verification_algorithms);
        rustls::client::verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], UnixTime::now(), algorithms.all)
    });
    match verified {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            tracing::warn!("tls.certificate {} expired at {}: clients will refuse it", file.display(), time(not_after));
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            tracing::warn!("tls.certificate {} holds from {} on: clients refuse it until then", file.display(), time(not_before));
        }
        _ => {}
    }
}
