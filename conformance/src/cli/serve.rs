//! `touchstone serve`: the model, a liar or a careless server on a port.

use clap::Args;
use conformance::faults::careless::{self, Careless};
use conformance::liars::Liar;
use conformance::serve::Service;
use spec::Dialect;

use super::{dialect, liar};

#[derive(Args)]
#[command(group = clap::ArgGroup::new("served").required(true))]
pub(super) struct Serve {
    /// Serve the law's own model
    #[arg(long, group = "served")]
    model: bool,
    /// Serve one that is known to be wrong; `touchstone selftest` names them
    #[arg(long, value_name = "NAME", value_parser = liar, group = "served")]
    liar: Option<&'static Liar>,
    /// Serve one that answers right and is careless about its memory, time or clients
    #[arg(long, value_name = "NAME", value_parser = careless, group = "served")]
    careless: Option<&'static Careless>,
    /// Serve one that obeys the law and is unkind about it: it evicts at random, cuts its replies
    /// anywhere, gives huge uniques, elects any alternatives, all by this number
    #[arg(
        long,
        value_name = "SEED",
        group = "served",
        conflicts_with = "dialect",
        value_parser = super::number
    )]
    adversarial: Option<u64>,
    /// The habits it follows
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 11211)]
    port: u16,
    /// memcached's options, for a careless server
    #[arg(last = true)]
    options: Vec<String>,
}

fn careless(name: &str) -> Result<&'static Careless, String> {
    careless::named(name).ok_or_else(|| {
        let names = careless::CARELESS.map(|careless| careless.name);
        format!("there are {}", names.join(", "))
    })
}

impl Serve {
    /// Serves until it is stopped.
    pub(super) fn run(self) -> Result<(), String> {
        if let Some(careless) = self.careless {
            let served = careless.serve(self.port, &self.options);
            return served.map_err(|error| format!("port {}: {error}", self.port));
        }
        let lie = self.liar.map(|liar| liar.lie);
        let service = match self.adversarial {
            Some(seed) => Service::adversarial(self.port, seed)?,
            None => Service::bind(self.port, lie, self.dialect)?,
        };
        let port = service.port().map_err(|error| error.to_string())?;
        let what = match self.adversarial {
            Some(seed) => format!("an adversary of seed {seed}"),
            None => self.liar.map_or("the model", |liar| liar.name).to_owned(),
        };
        say!("{what} listens on 127.0.0.1:{port}");
        service.run().map_err(|error| error.to_string())
    }
}
