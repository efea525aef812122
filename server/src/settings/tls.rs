//! What `-Z` and its extended options say.
//!
//! It never opens the files it names.

use super::extended::{Word, nothing, set};
use super::options::number;

/// What TLS is spoken with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether it is spoken at all (`-Z`).
    pub is_on: bool,
    /// The file of the certificate and those that vouch for it (`ssl_chain_cert`).
    pub chain_path: Option<String>,
    /// The file of the private key (`ssl_key`); none means that it is with the certificate.
    pub key_path: Option<String>,
    /// The file of those who vouch for clients (`ssl_ca_cert`).
    pub authorities_path: Option<String>,
    /// What clients are to show (`ssl_verify_mode`).
    pub clients: Clients,
    /// Whether TLS 1.2 is too old (`ssl_min_version`).
    pub is_new_only: bool,
}

/// What clients are to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// Nothing.
    #[default]
    Anybody,
    /// A certificate, if they have one.
    Asked,
    /// A certificate.
    Known,
}

const NO_CIPHERS: &str =
    "all ciphers of TLS 1.3, and those of TLS 1.2 that are as good, are spoken";
const NO_BUFFERS: &str = "the library keeps its buffers and sessions by itself";

/// The words of `-o` about it.
pub(super) const WORDS: &[Word] = &[
    set(
        "ssl_chain_cert",
        "a file of certificates (PEM)",
        "the server's certificate, and those that vouch for it",
        |settings, text| path(&mut settings.tls.chain_path, text),
    ),
    set(
        "ssl_key",
        "a file with a private key (PEM)",
        "the server's key, where it is not with the certificate",
        |settings, text| path(&mut settings.tls.key_path, text),
    ),
    set(
        "ssl_ca_cert",
        "a file of certificates (PEM)",
        "who vouches for clients",
        |settings, text| path(&mut settings.tls.authorities_path, text),
    ),
    set(
        "ssl_verify_mode",
        "a number, 0 to 3",
        "what clients show: nothing (0), a certificate if they have one (1), a certificate (2, 3)",
        |settings, text| {
            settings.tls.clients = match text {
                "0" => Clients::Anybody,
                "1" => Clients::Asked,
                "2" | "3" => Clients::Known,
                _ => return None,
            };
            Some(())
        },
    ),
    set(
        "ssl_min_version",
        "a number, 0 to 3",
        "the oldest TLS spoken: 1.2 (2; 0 and 1 mean no more here) or 1.3 (3)",
        |settings, text| {
            settings.tls.is_new_only = text == "3";
            matches!(text, "0" | "1" | "2" | "3").then_some(())
        },
    ),
    set(
        "ssl_keyformat",
        "PEM",
        "how the key is written",
        |_, text| text.eq_ignore_ascii_case("pem").then_some(()),
    ),
    nothing("ssl_ciphers", "a list of ciphers", NO_CIPHERS, |text| {
        !text.is_empty()
    }),
    nothing(
        "ssl_wbuf_size",
        "a number of kilobytes",
        NO_BUFFERS,
        |text| number::<u32>(text, 1, u32::MAX).is_some(),
    ),
    nothing("ssl_session_cache", "", NO_BUFFERS, str::is_empty),
    nothing("ssl_kernel_tls", "", NO_BUFFERS, str::is_empty),
];

fn path(place: &mut Option<String>, text: &str) -> Option<()> {
    *place = Some(text.to_owned());
    (!text.is_empty()).then_some(())
}

impl Tls {
    /// What is missing, where something is.
    pub(super) fn check(&self, asks_clients: bool) -> Result<(), String> {
        if !self.is_on {
            return Ok(());
        }
        if self.chain_path.is_none() {
            return Err("-Z: needs -o ssl_chain_cert=<a file of certificates>".to_owned());
        }
        if (asks_clients || self.clients != Clients::Anybody) && self.authorities_path.is_none() {
            return Err(
                "-Z: clients are known by -o ssl_ca_cert=<a file of certificates>".to_owned(),
            );
        }
        Ok(())
    }
}
