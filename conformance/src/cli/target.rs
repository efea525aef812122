//! What is to be tried, as `check` and `replay` both are told.
//!
//! A target that we did not start is somebody's cache for both: what may be sent there is decided
//! in the library, never here.

use std::path::PathBuf;

use clap::Args;
use conformance::liars::Liar;
use conformance::report::shell;
use conformance::target::Target;
use conformance::target::address::{Address, Trust};
use conformance::target::foreign::Foreign;
use conformance::target::guard::Permits;
use conformance::target::place::is_said;
use conformance::terms::any_seed;

use super::liar;

/// The options that choose a target and say what is allowed there.
#[derive(Args)]
pub(super) struct Chosen {
    /// Try the law's own model
    #[arg(long, conflicts_with_all = ["spawn", "liar"])]
    model: bool,
    /// Try a server that is known to be wrong
    #[arg(long, value_name = "NAME", value_parser = liar, conflicts_with = "spawn")]
    liar: Option<&'static Liar>,
    /// Start this command for each exchange; `{port}` stands for the port, `{socket}` for a UNIX
    /// socket, `{tls-port}` for a port where it speaks TLS
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// Makes the order of play and our own keys; chosen at random and printed where it is not given
    #[arg(long, value_parser = super::number)]
    pub(super) seed: Option<u64>,
    #[command(flatten)]
    tls: Tls,
    /// Flush every item of a server that runs already
    #[arg(long)]
    allow_flush: bool,
    /// Read and change the settings and statistics of a server that runs already
    #[arg(long)]
    allow_admin: bool,
}

/// Whom to believe in `tls:HOST:PORT`.
#[derive(Args)]
pub(super) struct Tls {
    /// Believe the servers that this PEM file vouches for, in tls:HOST:PORT
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/ssl/certs/ca-certificates.crt"
    )]
    tls_ca: PathBuf,
    /// Believe any server, in tls:HOST:PORT
    #[arg(long, conflicts_with = "tls_ca")]
    tls_insecure: bool,
}

impl Chosen {
    /// The seed that was given, or any.
    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(any_seed)
    }

    /// The target: what listens at the place, what an option names, or our server where none does.
    pub(super) fn target(&self, place: Option<&str>, seed: u64) -> Result<Target, String> {
        let named = self.spawn.is_some() || self.liar.is_some() || self.model;
        match (place, &self.spawn, self.liar) {
            (Some(place), ..) if named => Err(format!(
                "`{place}` is a target, and so is the option; name one"
            )),
            (Some(place), ..) => self.foreign(place, seed),
            (None, Some(command), _) => is_said(command).map(|()| Target::Spawn(command.clone())),
            (None, None, Some(liar)) => Ok(Target::Liar(liar)),
            (None, None, None) if self.model => Ok(Target::Model(Box::default())),
            (None, None, None) => Ok(Target::Embedded),
        }
    }

    /// The arguments that choose this target again, with a space behind each.
    pub(super) fn arguments(&self, target: &Target) -> String {
        let mut arguments = match target {
            Target::Spawn(command) => format!("--spawn {} ", shell(command)),
            other => other.arguments(),
        };
        if arguments.starts_with("tls:") && !self.tls.tls_insecure {
            let authorities = self.tls.tls_ca.to_string_lossy();
            arguments.push_str(&format!("--tls-ca {} ", shell(&authorities)));
        }
        let flags = [
            ("--tls-insecure ", self.tls.tls_insecure),
            ("--allow-flush ", self.allow_flush),
            ("--allow-admin ", self.allow_admin),
        ];
        arguments.extend(flags.iter().filter(|(_, set)| *set).map(|(flag, _)| *flag));
        arguments
    }

    fn foreign(&self, place: &str, seed: u64) -> Result<Target, String> {
        Ok(Target::Foreign(Foreign {
            address: Address::parse(place, &self.tls.trust())?,
            permits: Permits {
                flush: self.allow_flush,
                admin: self.allow_admin,
            },
            seed,
            dialect: Box::default(),
        }))
    }
}

impl Tls {
    /// How a server's certificate is to be looked at.
    pub(super) fn trust(&self) -> Trust {
        match self.tls_insecure {
            true => Trust::Anybody,
            false => Trust::Authorities(self.tls_ca.clone()),
        }
    }
}
