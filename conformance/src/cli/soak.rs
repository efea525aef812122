//! `touchstone soak`: everything at once and for long.

use std::time::Duration;

use clap::Args;
use conformance::faults::Fault;
use conformance::interrupt;
use conformance::soak::{self, Plan, soak_at};
use conformance::target::address::{Address, Trust};
use conformance::target::place::is_said;
use conformance::terms::any_seed;
use spec::Dialect;

use super::faults::{ours, own_dialect};
use super::say;

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone soak --minutes 10                   touchstoned, over TCP
  touchstone soak --minutes 30 --spawn './mine {port}'
  touchstone soak --minutes 5 127.0.0.1:11211    somebody's cache: load and storms on our own keys

Ordinary clients ask on, and the law's model rules on every reply. Now and then many clients storm a
few keys at once. Every ten seconds something is done that strains the server: `touchstone faults`
names it. What is wrong while that is done is counted apart; at any other time nothing may be. A
server that forgets items does no wrong. In the end memory, descriptors and threads must be what
they were. Ctrl-C says what was found so far.

Exit codes, the first that applies:
  2  the command line makes no sense
  4  the server cannot be started or reached
  1  something is broken
  3  it was interrupted
  0  it holds";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Soak {
    /// A server that runs: HOST:PORT, unix:PATH or tls:HOST:PORT (any certificate will do)
    #[arg(conflicts_with = "spawn")]
    target: Option<String>,
    /// Start this command; `{port}` stands for the port, `{socket}` for a UNIX socket, `{tls-port}`
    /// for a port where it speaks TLS
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// For so long; a part of a minute will do
    #[arg(long, default_value = "10", value_parser = minutes)]
    minutes: Duration,
    /// How often something is done to it, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    every: u16,
    /// So many ordinary clients
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    clients: u16,
    /// Items before it begins, in megabytes: a full server grows no more
    #[arg(long, default_value_t = 100, value_name = "MB")]
    fill: u16,
    /// Only these of what is done to it
    #[arg(long, value_name = "FAULT", value_delimiter = ',', value_parser = fault)]
    only: Vec<&'static Fault>,
    /// No storms
    #[arg(long)]
    calm: bool,
    /// Makes the requests and the order of what is done; chosen and printed where it is not given
    #[arg(long, value_parser = super::number)]
    seed: Option<u64>,
    /// Hold it to this dialect: one that ships, or a file that holds one
    #[arg(long, value_parser = super::dialect)]
    dialect: Option<Dialect>,
}

impl Soak {
    /// Soaks it, prints the figures, and tells the exit code.
    pub(super) fn run(self) -> Result<u8, String> {
        let seed = self.seed.unwrap_or_else(any_seed);
        let command = match (&self.spawn, &self.target) {
            (Some(command), _) => Some(command.clone()),
            (None, Some(_)) => None,
            (None, None) => Some(format!("{} -u root -l 127.0.0.1 -p {{port}}", ours())),
        };
        let own = command.as_deref().map(own_dialect);
        let plan = Plan {
            time: self.minutes,
            seed,
            every: Duration::from_secs(u64::from(self.every)),
            clients: self.clients,
            fill_bytes: usize::from(self.fill) * 1_000_000,
            storms: !self.calm,
            faults: match self.only.is_empty() {
                true => soak::faults(),
                false => self.only.clone(),
            },
            dialect: self.dialect.clone().or(own).unwrap_or_default(),
        };
        interrupt::finish_first();
        let name = command.as_ref().or(self.target.as_ref());
        let name = name.map_or("", String::as_str);
        say!(
            "soak of `{name}`, held to {}, seed {seed}",
            plan.dialect.name()
        );
        let found = match (&command, &self.target) {
            (Some(command), _) => is_said(command).map(|()| soak::soak(command, &plan))?,
            (None, target) => {
                let place = target.as_deref().unwrap_or_default();
                soak_at(&Address::parse(place, &Trust::Anybody)?, &plan)
            }
        };
        Ok(match found {
            Err(problem) => {
                say::problem(&problem);
                4
            }
            Ok(figures) => {
                say::text(&figures);
                match figures.troubles().is_empty() {
                    false => 1,
                    true if figures.is_cut_short => 3,
                    true => 0,
                }
            }
        })
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes = text.parse::<f64>().ok();
    let minutes = minutes.filter(|minutes| *minutes > 0.0 && *minutes <= 100_000.0);
    let minutes = minutes.ok_or("a number of minutes: `10`, `0.5`")?;
    Ok(Duration::from_secs_f64(minutes * 60.0))
}

fn fault(name: &str) -> Result<&'static Fault, String> {
    let mut faults = soak::faults().into_iter();
    faults.find(|fault| fault.name == name).ok_or_else(|| {
        let names: Vec<&str> = soak::faults().iter().map(|fault| fault.name).collect();
        format!("there are {}", names.join(", "))
    })
}
