//! TLS for the listener.

use crate::config::TlsFiles;
use crate::failure::{Failure, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Reads certificate and key.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let of_certificate =
        |error: &dyn std::fmt::Display| Failure::of(format_args!("tls.certificate {}", files.certificate.display()), error);
    let certificates = CertificateDer::pem_file_iter(&files.certificate).map_err(|error| of_certificate(&error))?;
    let chain = certificates.collect::<Result<Vec<_>, _>>().map_err(|error| of_certificate(&error))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| Failure::of(format_args!("tls.key {}", files.key.display()), error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| of_certificate(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
