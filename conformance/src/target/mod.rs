//! What can be tried. A target makes a fresh server for each exchange that asks for one.

pub mod process;

use model::{Host, Model, Options, Time};
use spec::Dialect;
use spec::exchange::{Event, Exchange, Failure, replay};

/// When the virtual clock of a target in this process starts: well past the first month, so that
/// relative and absolute exptimes differ.
pub const START: Time = Time(1_800_000_000);

/// Something that can be put on trial.
#[derive(Clone, Debug)]
pub enum Target {
    /// The law's own ruling.
    Model(Box<Dialect>),
    /// A command line that starts a server; `{port}` stands for the port.
    Spawn(String),
}

/// What came of playing one exchange.
#[derive(Debug)]
pub enum Outcome {
    /// It went as written.
    Passed(Vec<Event>),
    /// It did not.
    Failed(Box<Failure>),
    /// The target could not be brought to the point where it could be tried.
    Broken(String),
}

impl Target {
    /// Plays one exchange on a server of its own.
    #[must_use]
    pub fn play(&self, exchange: &Exchange) -> Outcome {
        let played = match self {
            Target::Model(dialect) => match Options::parse(&exchange.header.options) {
                Ok(options) => {
                    let model = Model::new(options, (**dialect).clone());
                    replay(exchange, &mut Host::new(model, START))
                }
                Err(problem) => return Outcome::Broken(problem),
            },
            Target::Spawn(command) => {
                match process::Process::start(command, &exchange.header.options) {
                    Ok(mut process) => replay(exchange, &mut process),
                    Err(problem) => return Outcome::Broken(problem),
                }
            }
        };
        match played {
            Ok(events) => Outcome::Passed(events),
            Err(failure) => Outcome::Failed(failure),
        }
    }
}
