//! `touchstone record`: a proxy that takes down what real clients say, and judges it.

use std::path::PathBuf;

use clap::Args;
use conformance::record::proxy::Proxy;
use conformance::record::{Finding, Plan, Recorder, Tally};
use conformance::target::address::Address;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use spec::Dialect;

use super::target::Tls;
use super::{dialect, say};

/// What the server behind a proxy that is not there exits with.
const UNREACHABLE: u8 = 4;

/// What the help says below the options.
const LESSON: &str = "\
Whatever clients say in text, meta or binary is judged while it is recorded; statistics and logins
are taken down only, and counted as unknown. What clients were told at once of one key is judged by
whether any order explains it. `touchstone replay FILE TARGET` plays the session again.";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Record {
    /// Where clients connect: `127.0.0.1:11212`; port 0 takes any that is free
    #[arg(long, value_name = "HOST:PORT", value_parser = listener)]
    listen: String,
    /// The server that they are to reach: `HOST:PORT`, `unix:PATH` or `tls:HOST:PORT`
    #[arg(long, value_name = "TARGET")]
    upstream: String,
    #[command(flatten)]
    tls: Tls,
    /// The server began empty and has room for all: an item that is missing was lost
    #[arg(long)]
    fresh: bool,
    /// Replace keys and values by hashes of the same length. What counts or appends will not replay
    #[arg(long)]
    redact: bool,
    /// Hold the server to this dialect
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// The file to write; only its owner may read it. There must be none of that name
    file: PathBuf,
}

impl Record {
    /// Records until it is interrupted; 1 when the server broke the law meanwhile.
    pub(super) fn run(self) -> Result<u8, String> {
        let upstream = Address::parse(&self.upstream, &self.tls.trust())?;
        let bound = match Proxy::bind(&self.listen, &upstream) {
            Ok(bound) => bound,
            Err(problem) => {
                say::problem(&problem);
                return Ok(UNREACHABLE);
            }
        };
        let plan = Plan {
            dialect: self.dialect,
            fresh: self.fresh,
            redact: self.redact,
        };
        let named = |error: std::io::Error| format!("{}: {error}", self.file.display());
        let recorder = Recorder::create(&self.file, &plan).map_err(named)?;
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| error.to_string())?;
        let proxy = Proxy::new(bound, recorder);
        let address = proxy.address().map_err(|error| error.to_string())?;
        proxy.start(tell).map_err(|error| error.to_string())?;
        say!(
            "clients of {address} reach {}; stop with Ctrl-C",
            self.upstream
        );
        signals.forever().next();
        let tally = proxy.finish().map_err(named)?;
        say!("{}: {tally}", self.file.display());
        Ok(exit_code(&tally))
    }
}

fn listener(place: &str) -> Result<String, String> {
    let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(place.to_owned()),
        _ => Err("listen at HOST:PORT, as 127.0.0.1:11212".into()),
    }
}

/// 1 violates, 3 nothing was judged, 0 conforms.
fn exit_code(tally: &Tally) -> u8 {
    match (tally.violations, tally.agreed) {
        (1.., _) => 1,
        (0, 0) => 3,
        _ => 0,
    }
}

fn tell(finding: &Finding) {
    say::aside(finding);
}
