//! `touchstone serve`: the model, or a liar, on a port.

use clap::Args;
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
    /// The habits it follows
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 11211)]
    port: u16,
}

impl Serve {
    /// Serves until it is stopped.
    pub(super) fn run(self) -> Result<(), String> {
        let lie = self.liar.map(|liar| liar.lie);
        let service = Service::bind(self.port, lie, self.dialect)?;
        let port = service.port().map_err(|error| error.to_string())?;
        let what = self.liar.map_or("the model", |liar| liar.name);
        println!("{what} listens on 127.0.0.1:{port}");
        service.run().map_err(|error| error.to_string())
    }
}
