//! What a server has and lacks: declared by the user, or probed before anything is tried.
//!
//! A probe is one good request. Only `ERROR`, which is how a server says that it knows no such
//! command, or that it closes, which is how a proxy does, shows that it lacks it; whatever is no
//! frame shows that it speaks no binary, and no answer to a datagram that it has no UDP. A failed
//! case never does. Options are not probed for: a server that we start refuses those it lacks.

use std::thread;

use spec::exchange::{Action, Exchange, Fence, Protocol, cases};

use crate::target::address::Datagrams;
use crate::target::foreign::Foreign;
use crate::target::shape::Shape;
use crate::target::{Outcome, Target};

/// Something that not every memcached has.
struct Capability {
    name: &'static str,
    /// The commands of the text protocol that need it.
    commands: &'static [&'static str],
    probe: Probe,
}

/// What a target is asked.
#[derive(Clone, Copy)]
enum Probe {
    /// Nothing: no request shows it.
    Nothing,
    /// These steps, in text.
    Text(&'static str),
    /// A binary noop, be it answered by the right frame or by a wrong one.
    Frame,
    /// A datagram, where a server runs already; one that we start is started for them.
    Datagram,
}

static CAPABILITIES: [Capability; 11] = [
    Capability {
        name: "meta",
        commands: &["mg", "ms", "md", "ma", "me", "mn"],
        probe: Probe::Text("> mn\n< MN"),
    },
    Capability {
        name: "cas",
        commands: &["gets", "cas"],
        probe: Probe::Text("> gets probe\n< END"),
    },
    Capability {
        name: "touch",
        commands: &["touch"],
        probe: Probe::Text("> touch probe 9\n< NOT_FOUND"),
    },
    Capability {
        name: "gat",
        commands: &["gat", "gats"],
        probe: Probe::Text("> gat 9 probe\n< END"),
    },
    Capability {
        name: "arithmetic",
        commands: &["incr", "decr"],
        probe: Probe::Text("> incr probe 1\n< NOT_FOUND"),
    },
    Capability {
        name: "append",
        commands: &["append", "prepend"],
        probe: Probe::Text("> append probe 0 9 1 ⏎ a\n< NOT_STORED"),
    },
    Capability {
        name: "flush",
        commands: &["flush_all"],
        probe: Probe::Text("> flush_all\n< OK"),
    },
    Capability {
        name: "statistics",
        commands: &["stats"],
        probe: Probe::Text("> stats\n<* END"),
    },
    Capability {
        name: "binary",
        commands: &[],
        probe: Probe::Frame,
    },
    Capability {
        name: "udp",
        commands: &[],
        probe: Probe::Datagram,
    },
    Capability {
        name: "authentication",
        commands: &[],
        probe: Probe::Nothing,
    },
];

/// The names that can be declared.
#[must_use]
pub fn names() -> Vec<&'static str> {
    CAPABILITIES
        .iter()
        .map(|capability| capability.name)
        .collect()
}

/// What was found out about a target before anything was tried on it.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// How its silence is proved.
    pub fence: Fence,
    lacks: Vec<Lack>,
}

/// What a target lacks, and how that was seen.
#[derive(Clone, Debug)]
struct Lack {
    name: &'static str,
    how: String,
    /// The user said so: nobody was asked.
    is_declared: bool,
}

impl Capabilities {
    /// Asks the target; what is declared is not asked for.
    #[must_use]
    pub fn of(target: &Target, without: &[String]) -> Capabilities {
        let found = |capability: &'static Capability| {
            let Capability { name, probe, .. } = *capability;
            if without.iter().any(|declared| declared == name) {
                return Some(Lack {
                    name,
                    how: format!("it is declared to have none (--without {name})"),
                    is_declared: true,
                });
            }
            let how = match probe {
                Probe::Text(steps) if target.is_real() => refused(target, steps),
                Probe::Frame => unframed(target),
                Probe::Datagram => unanswered(target),
                Probe::Text(_) | Probe::Nothing => None,
            };
            how.map(|how| Lack {
                name,
                how,
                is_declared: false,
            })
        };
        // Each listens for silence behind its reply: together, that takes as long as once.
        thread::scope(|scope| {
            let fence = scope.spawn(|| target.fence());
            let probe = |capability| scope.spawn(move || found(capability));
            let probes: Vec<_> = CAPABILITIES.iter().map(probe).collect();
            let found =
                { probes.into_iter() }.filter_map(|probe| probe.join().expect("no probe panics"));
            Capabilities {
                lacks: found.collect(),
                fence: fence.join().expect("no probe panics"),
            }
        })
    }

    /// Whether it was not found to lack this.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.lacks.iter().all(|lack| lack.name != name)
    }

    /// What comes of an exchange that needs what the target has not.
    #[must_use]
    pub fn lack(&self, exchange: &Exchange) -> Option<Outcome> {
        let mut lacks = self.lacks.iter();
        let missing = lacks.find(|lack| needs(exchange, lack.name))?;
        let why = format!("no {}: {}", missing.name, missing.how);
        Some(match missing.name {
            _ if missing.is_declared => Outcome::Excluded(why),
            // A server is started with it or not, whatever it is.
            "udp" => Outcome::Unsupported(why),
            _ => Outcome::Lacking(why),
        })
    }
}

/// How the target refused this probe, if it did.
fn refused(target: &Target, steps: &str) -> Option<String> {
    let outcome = tried(target, &format!("r[framing.line.cr] fence=none\n{steps}\n"));
    let Outcome::Failed(failure) = outcome else {
        return None;
    };
    let request = steps.lines().next()?.trim_start_matches("> ");
    if failure.received.starts_with(b"ERROR") {
        return Some(format!("`{request}` was answered `ERROR`"));
    }
    let closed = format!("r[framing.line.cr] fence=none\n> {request}\n= closed\n");
    let closes = failure.received.is_empty() && matches!(tried(target, &closed), Outcome::Passed);
    closes.then(|| format!("`{request}` closed the connection"))
}

/// How the target answered a binary noop, if with no frame. Once may go wrong for no fault of its
/// own: a machine under load.
fn unframed(target: &Target) -> Option<String> {
    let noop = "r[binary.administration.noop] protocol=binary fence=none\n> noop\n< noop\n";
    let framed = || match tried(target, noop) {
        Outcome::Passed => true,
        Outcome::Failed(failure) => failure.received.starts_with(&[0x81]),
        _ => false,
    };
    let framed = (0..3).any(|_| framed());
    (!framed).then(|| "a noop is answered with no frame".to_owned())
}

/// That a server which runs already answers no datagram, if so.
fn unanswered(target: &Target) -> Option<String> {
    let Target::Foreign(Foreign { address, .. }) = target else {
        return None;
    };
    let are_answered = Datagrams::are_answered_at(address);
    (!are_answered).then(|| format!("a datagram to {address} is not answered"))
}

fn tried(target: &Target, probe: &str) -> Outcome {
    let probe = cases("the probe of a capability", probe).expect("it is in the notation");
    let exchange = probe.first().expect("it is one exchange");
    target.play(exchange, Shape::Written, Fence::Noop)
}

fn needs(exchange: &Exchange, name: &str) -> bool {
    let header = &exchange.header;
    let option = |wanted: &[&str]| {
        let mut words = header.options.split_whitespace();
        words.any(|word| wanted.iter().any(|option| word.starts_with(option)))
    };
    match name {
        "binary" => header.protocols.contains(&Protocol::Binary) || option(&["-S", "-B"]),
        "udp" => option(&["-U"]) || header.protocols.contains(&Protocol::Udp),
        "authentication" => !header.users.is_empty() || option(&["-S", "-Y"]),
        _ => {
            let commands = CAPABILITIES
                .iter()
                .find(|capability| capability.name == name);
            let commands = commands.map_or(&[][..], |capability| capability.commands);
            let sends = exchange.steps.iter().filter(|step| {
                matches!(step.action, Action::Send(_))
                    && header.protocol(step.client) == Protocol::Text
            });
            let mut lines = sends.flat_map(|step| step.text.split(['⏎', '\\']));
            lines.any(|line| commands.contains(&command(line)))
        }
    }
}

/// The first word of a sent line as it is written, the step's form aside.
fn command(line: &str) -> &str {
    let mut words = line.trim_start_matches(['r', 'n']).split_whitespace();
    let first = words.next().unwrap_or_default();
    let word = if first.ends_with('>') {
        words.next().unwrap_or_default()
    } else {
        first
    };
    // So begins what is sent many times.
    word.trim_start_matches('{')
}
