//! What a server may lack: declared by the user, or probed before anything is tried.
//!
//! A probe is one good request; only `ERROR`, which is how a server says that it knows no such
//! command, shows that it lacks it. A failed case never does.

use std::thread;

use spec::exchange::{Action, Exchange, Protocol, cases};

use crate::target::shape::Shape;
use crate::target::{Outcome, Target};

/// Something that not every memcached has.
struct Capability {
    name: &'static str,
    /// The commands of the text protocol that need it.
    commands: &'static [&'static str],
    /// The steps that show it, where a request can.
    probe: &'static str,
}

static CAPABILITIES: [Capability; 11] = [
    Capability {
        name: "meta",
        commands: &["mg", "ms", "md", "ma", "me", "mn"],
        probe: "> mn\n< MN",
    },
    Capability {
        name: "cas",
        commands: &["gets", "cas"],
        probe: "> gets probe\n< END",
    },
    Capability {
        name: "touch",
        commands: &["touch"],
        probe: "> touch probe 9\n< NOT_FOUND",
    },
    Capability {
        name: "gat",
        commands: &["gat", "gats"],
        probe: "> gat 9 probe\n< END",
    },
    Capability {
        name: "arithmetic",
        commands: &["incr", "decr"],
        probe: "> incr probe 1\n< NOT_FOUND",
    },
    Capability {
        name: "append",
        commands: &["append", "prepend"],
        probe: "> append probe 0 9 1 ⏎ a\n< NOT_STORED",
    },
    Capability {
        name: "flush",
        commands: &["flush_all"],
        probe: "> flush_all\n< OK",
    },
    Capability {
        name: "statistics",
        commands: &["stats"],
        probe: "> stats\n<* END",
    },
    Capability {
        name: "binary",
        commands: &[],
        probe: "",
    },
    Capability {
        name: "udp",
        commands: &[],
        probe: "",
    },
    Capability {
        name: "authentication",
        commands: &[],
        probe: "",
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

/// What a target was found to lack, and how.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    lacks: Vec<(&'static str, String)>,
}

impl Capabilities {
    /// Asks the target, where it is a real one; what is declared is not asked for.
    #[must_use]
    pub fn of(target: &Target, without: &[String]) -> Capabilities {
        let found = |capability: &'static Capability| {
            let Capability { name, probe, .. } = *capability;
            if without.iter().any(|declared| declared == name) {
                return Some(format!("it is declared to have none (--without {name})"));
            }
            let asks = target.is_real() && !probe.is_empty();
            asks.then(|| capability.refused(target)).flatten()
        };
        // Each listens for silence behind its reply: together, that takes as long as once.
        let lacks = thread::scope(|scope| {
            let probe = |capability| (capability, scope.spawn(move || found(capability)));
            let probes: Vec<_> = CAPABILITIES.iter().map(probe).collect();
            let found = probes.into_iter().filter_map(|(capability, probe)| {
                let how = probe.join().expect("no probe panics");
                how.map(|how| (capability.name, how))
            });
            found.collect()
        });
        Capabilities { lacks }
    }

    /// What this exchange needs and the target has not.
    #[must_use]
    pub fn lack(&self, exchange: &Exchange) -> Option<String> {
        let missing = self.lacks.iter().find(|(name, _)| needs(exchange, name));
        missing.map(|(name, how)| format!("no {name}: {how}"))
    }
}

impl Capability {
    /// How the target refused the probe, if it did.
    fn refused(&self, target: &Target) -> Option<String> {
        let text = format!("r[framing.line.cr] fence=none\n{}\n", self.probe);
        let probe = cases("the probe of a capability", &text).expect("it is in the notation");
        let outcome = target.play(probe.first()?, Shape::Written, spec::exchange::Fence::Noop);
        let Outcome::Failed(failure) = outcome else {
            return None;
        };
        let request = self.probe.lines().next()?.trim_start_matches("> ");
        let refused = failure.received.starts_with(b"ERROR");
        refused.then(|| format!("`{request}` was answered `ERROR`"))
    }
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
    if first.ends_with('>') {
        words.next().unwrap_or_default()
    } else {
        first
    }
}
