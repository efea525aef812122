//! The suite in somebody else's `cargo test`.
//!
//! ```no_run
//! # #[allow(clippy::test_attr_in_doctest, reason = "it is what one writes")]
//! #[test]
//! fn my_server_conforms() {
//!     conformance::spawn("./my-server -p {port}").without("udp").assert();
//! }
//! ```
//!
//! It decides nothing: what it says is what `touchstone check` prints. The same with every choice
//! there is is [`Trial`].

use crate::baseline::{Baseline, today};
use crate::capability;
use crate::cases;
use crate::check::Trial;
use crate::faults;
use crate::report;
use crate::target::Target;
use crate::target::address::{Address, Trust};
use crate::target::foreign::Foreign;
use crate::target::guard::Permits;
use crate::terms::any_seed;
use spec::{Dialect, Level};

/// A trial that is being put together.
#[derive(Clone, Debug)]
pub struct Suite {
    trial: Trial,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// As of `touchstone check`: 0 conforms.
    pub exit_code: u8,
    /// What `touchstone check` prints.
    pub text: String,
}

/// Tries what this command starts, again and again; `{port}` stands for the port, or `{socket}`
/// for a UNIX socket, or `{tls-port}` for a port where it speaks TLS.
#[must_use]
pub fn spawn(command: impl Into<String>) -> Suite {
    Suite::of(Target::Spawn(command.into()))
}

/// Tries a server that runs already, at `HOST:PORT` or `unix:PATH`: somebody's cache, where only
/// keys of our own are touched.
///
/// # Panics
/// When it is no such place.
#[must_use]
#[track_caller]
pub fn at(place: &str) -> Suite {
    let address = Address::parse(place, &Trust::Anybody);
    Suite::of(Target::Foreign(Foreign {
        address: address.unwrap_or_else(|problem| panic!("{problem}")),
        permits: Permits::default(),
        seed: any_seed(),
        dialect: Box::default(),
    }))
}

impl Suite {
    fn of(target: Target) -> Suite {
        let trial = Trial {
            target,
            jobs: 16,
            ..Trial::default()
        };
        Suite { trial }
    }

    /// Holds it to a dialect that ships: `memcached-1.6.45`.
    ///
    /// # Panics
    /// When none is called so.
    #[must_use]
    #[track_caller]
    pub fn dialect(mut self, name: &str) -> Suite {
        let names = Dialect::shipped_names().join(", ");
        let dialect = Dialect::shipped(name);
        self.trial.dialect = dialect.unwrap_or_else(|| panic!("the dialects are {names}"));
        self
    }

    /// Tries these rules, and those named before; none named means all: `storage`, `meta.*`.
    #[must_use]
    pub fn only(mut self, rules: &str) -> Suite {
        self.trial.select.push(rules.to_owned());
        self
    }

    /// Tries nothing that needs this: `binary`, `udp`, `meta` and others.
    ///
    /// # Panics
    /// When that is nothing a server can be without.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, what: &str) -> Suite {
        let names = capability::names();
        let known = names.contains(&what);
        assert!(known, "one can be without {}", names.join(", "));
        self.trial.terms.without.push(what.to_owned());
        self
    }

    /// Tries no SHOULD and no MAY.
    #[must_use]
    pub fn musts(mut self) -> Suite {
        self.trial.terms.level = Level::Must;
        self
    }

    /// Takes a SHOULD or a MAY that does not hold for a violation.
    #[must_use]
    pub fn strict(mut self) -> Suite {
        self.trial.terms.strict = true;
        self
    }

    /// Accepts the failures that this TOML lists, each with its reason.
    ///
    /// # Panics
    /// When it is no baseline.
    #[must_use]
    #[track_caller]
    pub fn accepting(mut self, baseline: &str) -> Suite {
        let baseline = Baseline::parse(baseline).unwrap_or_else(|problem| panic!("{problem}"));
        self.trial.baseline = baseline.on(&today());
        self
    }

    /// Plays, and says what came of it.
    ///
    /// # Panics
    /// Never, unless a case of the suite itself is not in the notation.
    #[must_use]
    pub fn verdict(mut self) -> Verdict {
        self.trial.target = self.trial.target.held_to(&self.trial.dialect);
        let exchanges = cases::all().expect("the suite is in the notation");
        let report = self.trial.run(&exchanges, &faults::all());
        Verdict {
            exit_code: report.conclusion().exit_code(),
            text: report::text(&report, false),
        }
    }

    /// Fails the test that calls it, with the report, unless the server conforms.
    ///
    /// # Panics
    /// When it does not conform.
    #[track_caller]
    pub fn assert(self) {
        let Verdict { exit_code, text } = self.verdict();
        assert!(exit_code == 0, "{text}");
    }
}
