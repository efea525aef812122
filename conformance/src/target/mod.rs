//! What can be tried. A target makes a fresh server for each exchange.

pub mod address;
pub mod certificate;
pub mod commons;
pub mod embedded;
pub mod foreign;
pub(crate) mod group;
pub mod guard;
pub mod neighbours;
pub mod place;
mod prefix;
pub mod process;
mod secure;
pub mod shape;
pub mod socket;
pub mod users;

use std::fmt;

use model::{Host, Model, Options, Time};
use spec::Dialect;
use spec::exchange::{
    Direction, Event, Exchange, Failure, Fence, Header, Peer, Protocol, Received, cases, replay,
};

use crate::liars::{Liar, Server};
use embedded::Embedded;
use foreign::Foreign;
use process::Process;
use shape::{Shape, Shaped};
use socket::Socket;

/// When the virtual clock of a target in this process starts: well past the first month, so that
/// relative and absolute exptimes differ.
pub const START: Time = Time(1_800_000_000);

/// Something that can be put on trial.
#[derive(Clone, Debug)]
pub enum Target {
    /// Our server in this process, without sockets and with a virtual clock.
    Embedded,
    /// The law's own ruling.
    Model(Box<Dialect>),
    /// A server that is known to be wrong.
    Liar(&'static Liar),
    /// The server that liars are made of, without a lie.
    Honest,
    /// A command line that starts a server, and says where it is to listen: [`place`].
    Spawn(String),
    /// A server that runs already: somebody's cache.
    Foreign(Foreign),
}

/// What came of playing one exchange.
#[derive(Debug)]
pub enum Outcome {
    /// It went as written.
    Passed,
    /// It did not.
    Failed(Box<Failure>),
    /// The target cannot be brought to the point where it could be tried.
    Unsupported(String),
    /// It says itself that it has not what it takes.
    Lacking(String),
    /// The user said that the target has not what it needs.
    Excluded(String),
    /// It was not tried, for this reason.
    Skipped(String),
    /// It was tried, and nobody knows what it means.
    Unknown(String),
    /// The target could not be started, or died.
    Crashed(String),
}

impl Outcome {
    /// It starts, but not with these options. Whether a memcached has SASL was settled when it was
    /// built, and to have none breaks nothing; it has all the others.
    pub(crate) fn refused(options: &str) -> Outcome {
        let what = format!("it starts, but not with `{options}`");
        match options.split_whitespace().any(|option| option == "-S") {
            true => Outcome::Unsupported(what),
            false => Outcome::Lacking(what),
        }
    }
}

impl Target {
    /// Plays one exchange on a server of its own.
    #[must_use]
    pub fn play(&self, exchange: &Exchange, shape: Shape, fence: Fence) -> Outcome {
        let header = &exchange.header;
        let play = |exchange: &Exchange, peer: &mut dyn Peer| played(exchange, peer, shape, fence);
        let played = |peer: &mut dyn Peer| play(exchange, peer);
        let liar_plays = |lie| match Options::of(header) {
            Ok(options) => {
                let model = Model::new(options, Dialect::default());
                played(&mut Server::new(lie, model, START))
            }
            Err(problem) => Outcome::Unsupported(problem),
        };
        let has_udp = match self {
            Target::Model(_) => true,
            Target::Spawn(command) => place::is_tcp(command),
            // It says itself why it skips them.
            Target::Foreign(_) => true,
            _ => false,
        };
        if header.protocols.contains(&Protocol::Udp) && !has_udp {
            let lack = "there are no datagrams here (--spawn '… {port} …')";
            return Outcome::Unsupported(lack.to_owned());
        }
        match self {
            Target::Embedded => match Embedded::start_knowing(&header.options, &header.users) {
                Ok(mut server) => played(&mut server),
                Err(problem) => Outcome::Unsupported(problem),
            },
            Target::Model(dialect) => match Options::of(header) {
                Ok(options) => {
                    let model = Model::new(options, (**dialect).clone());
                    played(&mut Host::new(model, START))
                }
                Err(problem) => Outcome::Unsupported(problem),
            },
            Target::Liar(_) | Target::Honest if is_told_to_speak_binary(header) => {
                Outcome::Unsupported("a liar speaks what the first byte says".to_owned())
            }
            Target::Liar(liar) => liar_plays(Some(liar.lie)),
            Target::Honest => liar_plays(None),
            Target::Spawn(command) => self.spawned(command, header, played),
            Target::Foreign(foreign) => match foreign.rehearse(exchange) {
                Ok(rehearsed) => {
                    let mut clients = rehearsed.clients(&foreign.address);
                    let outcome = play(rehearsed.exchange(), &mut clients);
                    rehearsed.clean(&mut clients);
                    let problem = clients.unreachable().map(str::to_owned);
                    problem.map_or(outcome, Outcome::Unknown)
                }
                Err(reason) => Outcome::Skipped(reason),
            },
        }
    }

    /// Plays on a server that this command starts.
    fn spawned(
        &self,
        command: &str,
        header: &Header,
        played: impl Fn(&mut dyn Peer) -> Outcome,
    ) -> Outcome {
        let once = || match Process::start_for(command, header) {
            Ok(mut process) => {
                let outcome = played(&mut process);
                process.died().map_or(outcome, Outcome::Crashed)
            }
            Err(_) if self.refuses(header) => Outcome::refused(&header.options),
            Err(problem) => Outcome::Crashed(problem),
        };
        match once() {
            Outcome::Failed(failure) if is_mute(&failure) => once(),
            // It may have found its port taken; what dies of the exchange does so again.
            Outcome::Crashed(_) => once(),
            outcome => outcome,
        }
    }

    /// The same target, which follows this dialect where it is, or has, the model itself.
    #[must_use]
    pub fn held_to(self, dialect: &Dialect) -> Target {
        match self {
            Target::Model(_) => Target::Model(Box::new(dialect.clone())),
            Target::Foreign(foreign) => Target::Foreign(Foreign {
                dialect: Box::new(dialect.clone()),
                ..foreign
            }),
            other => other,
        }
    }

    /// Whether it lives in real time, so that waiting costs time.
    #[must_use]
    pub fn is_real(&self) -> bool {
        matches!(self, Target::Spawn(_) | Target::Foreign(_))
    }

    /// Whether it is there at all.
    ///
    /// # Errors
    /// When it cannot be started or reached.
    pub fn answers(&self) -> Result<(), String> {
        match self {
            Target::Spawn(command) => Process::start(command, "").map(drop),
            Target::Foreign(foreign) => match Socket::ask_anything(&foreign.address)? {
                Received::Nothing => Err(format!(
                    "{} takes connections, and answers nothing",
                    foreign.address
                )),
                Received::Bytes(_) | Received::Closed => Ok(()),
            },
            Target::Embedded | Target::Model(_) | Target::Liar(_) | Target::Honest => Ok(()),
        }
    }

    /// Whether it starts as it is given, so that it is the options of this header that it refuses.
    fn refuses(&self, header: &Header) -> bool {
        !header.options.is_empty() && self.answers().is_ok()
    }

    /// The fence that this target understands, found by trying the better one.
    #[must_use]
    pub fn fence(&self) -> Fence {
        let noop = "r[meta.noop.reply] fence=none\n> mn\n< MN\n";
        let noop = cases("the probe for a fence", noop).expect("it is in the notation");
        if self.understands(&noop) {
            Fence::Noop
        } else {
            Fence::Miss
        }
    }

    fn understands(&self, probe: &[Exchange]) -> bool {
        let answers = |exchange| {
            let outcome = self.play(exchange, Shape::Written, Fence::Noop);
            matches!(outcome, Outcome::Passed)
        };
        // Once may fail for no fault of the target's: a machine under load.
        let understood = |exchange| (0..3).any(|_| answers(exchange));
        probe.iter().all(understood)
    }

    /// The arguments of `touchstone check` that try this target, with a space behind them.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Target::Embedded => String::new(),
            Target::Model(_) | Target::Honest => "--model ".to_owned(),
            Target::Liar(liar) => format!("--liar {} ", liar.name),
            Target::Spawn(command) => format!("--spawn '{command}' "),
            Target::Foreign(foreign) => format!("{} ", foreign.address),
        }
    }
}

/// Plays it with this server, in this shape.
pub(crate) fn played(
    exchange: &Exchange,
    peer: &mut dyn Peer,
    shape: Shape,
    fence: Fence,
) -> Outcome {
    let shape = if exchange.header.exact_writes {
        Shape::Written
    } else {
        shape
    };
    match replay(exchange, &mut Shaped::new(peer, shape, fence)) {
        Ok(_) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure),
    }
}

/// Whether the server said nothing at all. A real one is so once in thousands of starts under load,
/// why is not known; who is mute by nature is so again.
fn is_mute(failure: &Failure) -> bool {
    let said = |event: &Event| event.direction == Direction::Received;
    failure.received.is_empty() && !failure.events.iter().any(said)
}

/// Whether it needs a server that was told what its clients speak.
fn is_told_to_speak_binary(header: &Header) -> bool {
    let mut words = header.options.split_whitespace();
    words.any(|word| word == "-S" || word == "-B")
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Embedded => write!(
                f,
                "our server, in this process (which shows no sockets, UDP, TLS or limits)"
            ),
            Target::Model(_) | Target::Honest => write!(f, "the model, in this process"),
            Target::Liar(liar) => write!(f, "the liar `{}`: {}", liar.name, liar.does),
            Target::Spawn(command) => write!(f, "`{command}`"),
            Target::Foreign(foreign) => write!(
                f,
                "{}, somebody's cache (only keys of our own)",
                foreign.address
            ),
        }
    }
}
