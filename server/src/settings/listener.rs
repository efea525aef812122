//! One address of `-l`: where to listen, and what is spoken there.
//!
//! `[notls:|btls:|mtls:][proto[NAME]:][tag[NAME]:]HOST[:PORT]`, as memcached has it. It never looks
//! a host up.

use super::Protocol;

/// The longest tag, in bytes.
const TAG_LEN_MAX: usize = 8;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// How it was written.
    pub text: String,
    /// The host; none means every address of the machine.
    pub host: Option<String>,
    /// Its own port; none means that of `-p`.
    pub port: Option<u16>,
    /// What is spoken there; none means what `-B` says, the inner none what the first byte says.
    pub protocol: Option<Option<Protocol>>,
    /// How clients are met, where that is said.
    pub security: Option<Security>,
}

/// How clients are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// In plain text.
    Plain,
    /// By TLS, whoever they are.
    Basic,
    /// By TLS, with a certificate of their own.
    Mutual,
}

impl Listener {
    /// The address that is listened on when none is asked for.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            text: "127.0.0.1".to_owned(),
            host: Some("127.0.0.1".to_owned()),
            port: None,
            protocol: None,
            security: None,
        }
    }

    /// Reads one. None where it is not of the form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (security, rest) = security(text);
        let (protocol, rest) = match rest.strip_prefix("proto[") {
            None => (None, rest),
            Some(rest) => {
                let (name, rest) = rest.split_once("]:")?;
                (Some(protocol(name)?), rest)
            }
        };
        let (host, port) = host_and_port(without_tag(rest)?)?;
        Some(Self {
            text: text.to_owned(),
            host: (host != "*").then(|| host.to_owned()),
            port,
            protocol,
            security,
        })
    }

    /// Whether only clients on this machine get there.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host == "localhost" || host == "::1" || host.starts_with("127.")
    }
}

fn security(text: &str) -> (Option<Security>, &str) {
    let known = [
        ("notls:", Security::Plain),
        ("btls:", Security::Basic),
        ("mtls:", Security::Mutual),
    ];
    let found = known
        .into_iter()
        .find_map(|(prefix, security)| Some((Some(security), text.strip_prefix(prefix)?)));
    found.unwrap_or((None, text))
}

fn protocol(name: &str) -> Option<Option<Protocol>> {
    match name {
        "ascii" => Some(Some(Protocol::Text)),
        "binary" => Some(Some(Protocol::Binary)),
        "negotiating" | "auto" => Some(None),
        _ => None,
    }
}

/// A tag, `tag[NAME]:` or `tag_NAME_:`, names a listener to memcached's proxy. There is no proxy
/// here, so it is read and forgotten.
fn without_tag(text: &str) -> Option<&str> {
    let (named, end) = if let Some(named) = text.strip_prefix("tag[") {
        (named, "]:")
    } else if let Some(named) = text.strip_prefix("tag_") {
        (named, "_:")
    } else {
        return Some(text);
    };
    let (tag, rest) = named.split_once(end)?;
    (1..=TAG_LEN_MAX).contains(&tag.len()).then_some(rest)
}

/// `host`, `host:port`, `v6`, `[v6]` or `[v6]:port`.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':')?),
        };
        (host, port)
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        }
    };
    let port = match port {
        None => None,
        Some(port) => Some(port.parse().ok()?),
    };
    (!host.is_empty()).then_some((host, port))
}
