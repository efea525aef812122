//! Certificates, and how clients are met with them.
//!
//! It never leaves a server with half of what the files say: what cannot be read whole changes
//! nothing. Connections that there are go on as they began.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

use crate::settings::{Clients, Tls};

/// How clients are met.
#[derive(Debug)]
pub(super) struct Certificates {
    tls: Tls,
    current: RwLock<Manners>,
}

/// One way for each thing that clients may have to show.
#[derive(Clone, Debug)]
struct Manners {
    anybody: Arc<ServerConfig>,
    asked: Option<Arc<ServerConfig>>,
    known: Option<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads the files.
    pub(super) fn read(tls: &Tls) -> Result<Self, String> {
        Ok(Self {
            tls: tls.clone(),
            current: RwLock::new(Manners::read(tls)?),
        })
    }

    /// Reads the files again, for the connections to come.
    pub(super) fn refresh(&self) -> Result<(), String> {
        let manners = Manners::read(&self.tls)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = manners;
        Ok(())
    }

    /// How to meet clients who are to show this.
    pub(super) fn manners(&self, clients: Clients) -> Option<Arc<ServerConfig>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        match clients {
            Clients::Anybody => Some(Arc::clone(&current.anybody)),
            Clients::Asked => current.asked.clone(),
            Clients::Known => current.known.clone(),
        }
    }
}

impl Manners {
    fn read(tls: &Tls) -> Result<Self, String> {
        let chain_path = tls.chain_path.as_deref().unwrap_or_default();
        let key_path = tls.key_path.as_deref().unwrap_or(chain_path);
        let chain = certificates("ssl_chain_cert", chain_path)?;
        let key = PrivateKeyDer::from_pem_file(key_path)
            .map_err(|error| format!("ssl_key: {key_path}: {error}"))?;
        let config = |verifier: Option<Arc<dyn ClientCertVerifier>>| {
            configuration(tls, &chain, &key, verifier)
                .map_err(|error| format!("ssl_chain_cert: {chain_path}: {error}"))
        };
        let anybody = config(None)?;
        let Some(path) = &tls.authorities_path else {
            return Ok(Self {
                anybody,
                asked: None,
                known: None,
            });
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates("ssl_ca_cert", path)? {
            roots
                .add(authority)
                .map_err(|error| format!("ssl_ca_cert: {path}: {error}"))?;
        }
        let roots = Arc::new(roots);
        let verifier = |asks_only| {
            let provider = Arc::new(ring::default_provider());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider);
            let verifier = if asks_only {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            verifier
                .build()
                .map_err(|error| format!("ssl_ca_cert: {path}: {error}"))
        };
        Ok(Self {
            anybody,
            asked: Some(config(Some(verifier(true)?))?),
            known: Some(config(Some(verifier(false)?))?),
        })
    }
}

fn configuration(
    tls: &Tls,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, tokio_rustls::rustls::Error> {
    let versions = if tls.is_new_only {
        &[&version::TLS13][..]
    } else {
        &[&version::TLS13, &version::TLS12]
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain.to_vec(), key.clone_key())?;
    Ok(Arc::new(config))
}

fn certificates(option: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |problem: String| format!("{option}: {path}: {problem}");
    let found = CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| named(error.to_string()))?;
    if found.is_empty() {
        return Err(named("there is no certificate in it".to_owned()));
    }
    Ok(found)
}
