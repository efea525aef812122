//! The faults, done to the memcached in PATH and to our own daemon; and the faults on trial, done
//! to servers that are careless in one way each.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::baseline::Baseline;
use conformance::check::Trial;
use conformance::faults::careless::{CARELESS, Careless};
use conformance::faults::matrix::{Cell, Matrix, Subject};
use conformance::faults::table::{Row, Table};
use conformance::faults::{self, Fault};
use conformance::report;
use conformance::target::process::Process;
use conformance::target::shape::Shape;
use conformance::target::{Outcome, Target};
use conformance::verdict::{Conclusion, Verdict};
use spec::Dialect;
use spec::exchange::Fence;

/// Does every fault to a server, and fails with the report unless it conforms.
fn try_all(command: String, dialect: Dialect) {
    let trial = Trial {
        target: Target::Spawn(command),
        dialect,
        baseline: Baseline::default(),
        shape: Shape::Written,
        select: Vec::new(),
        jobs: 4,
        ..Trial::default()
    };
    let report = trial.run(&[], &faults::all());
    let text = report::text(&report, true);
    assert_eq!(report.conclusion(), Conclusion::Conforms, "{text}");
    if !cfg!(target_os = "linux") {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED what only Linux tells of a process: {text}"
        );
        return;
    }
    assert_eq!(report.count(Verdict::Unsupported), 0, "{text}");
    println!("{}", text.lines().last().unwrap_or_default());
}

/// Says that something is not here; where CI asks for it, that is an error.
fn skip(what: &str) {
    #[expect(clippy::disallowed_methods, reason = "CI says so in its environment")]
    let required = std::env::var("CI").is_ok();
    assert!(!required, "{what}, and CI requires it");
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}");
}

#[test]
fn the_memcached_in_path_stands_the_faults_that_its_dialect_says() {
    let Ok(output) = Command::new("memcached").arg("-V").output() else {
        return skip("the memcached in PATH: there is none (apt-get install memcached)");
    };
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().replace(' ', "-");
    let Some(dialect) = Dialect::shipped(&version) else {
        return skip(&format!(
            "the memcached in PATH: no dialect is written for {version}"
        ));
    };
    try_all(
        "memcached -u root -l 127.0.0.1 -p {port}".to_owned(),
        dialect,
    );
}

/// Our daemon; nothing where it is not built, and then this says so.
fn our_daemon() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_BIN_EXE_touchstone")).with_file_name("touchstoned");
    if !built.exists() {
        skip("our daemon: it is not built (cargo build -p server)");
        return None;
    }
    Some(built)
}

#[test]
fn our_daemon_stands_every_fault() {
    if let Some(built) = our_daemon() {
        let daemon = format!("{} -u root -l 127.0.0.1 -p {{port}}", built.display());
        try_all(daemon, Dialect::default());
    }
}

/// Does this to all of them, to four at once.
fn some_at_once<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(one);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
}

/// Does a fault to a careless server.
fn outcome(careless: &Careless, fault: &'static Fault) -> Outcome {
    let touchstone = env!("CARGO_BIN_EXE_touchstone");
    let command = format!(
        "{touchstone} serve --careless {} --port {{port}} --",
        careless.name
    );
    faults::try_on(&Target::Spawn(command), fault, Fence::Noop)
}

#[test]
fn every_fault_finds_a_server_that_is_careless_about_it() {
    if !cfg!(target_os = "linux") {
        return skip("what only Linux tells of a process");
    }
    let of = |careless: &'static Careless| {
        let faults = careless.caught_by.iter().map(|name| faults::named(name));
        faults.map(move |fault| (careless, fault.expect("there is such a fault")))
    };
    let tries: Vec<_> = CARELESS.iter().flat_map(of).collect();
    some_at_once(&tries, |(careless, fault)| {
        // On a machine that is busy it may not have time to be careless; once is enough.
        let caught = |_| matches!(outcome(careless, fault), Outcome::Failed(_));
        let caught = (0..3).any(caught);
        assert!(caught, "{} passes {}", careless.name, fault.name);
    });
    let found: BTreeSet<&str> = tries.iter().map(|(_, fault)| fault.name).collect();
    let all = faults::all().into_iter().map(|fault| fault.name);
    let missing: Vec<&str> = all.filter(|name| !found.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "no server is careless about {missing:?}"
    );
}

#[test]
fn a_careful_server_stands_every_fault() {
    if !cfg!(target_os = "linux") {
        return skip("what only Linux tells of a process");
    }
    let [careful, ..] = &CARELESS;
    some_at_once(&faults::all(), |fault| {
        // On a machine that is busy others may wait for the processor; once is enough.
        let outcomes = (0..3).map(|_| outcome(careful, fault));
        let fails = |one: &Outcome| !matches!(one, Outcome::Passed);
        let failed: Vec<_> = outcomes.take_while(fails).collect();
        assert!(failed.len() < 3, "{}: {failed:?}", fault.name);
    });
}

#[test]
fn each_fault_has_a_name_of_its_own_and_says_what_is_done_in_one_sentence() {
    let mut names = BTreeSet::new();
    for fault in faults::all() {
        assert!(names.insert(fault.name), "two faults are {}", fault.name);
        assert!(fault.does.ends_with('.'), "{}: {}", fault.name, fault.does);
    }
}

#[test]
fn a_target_that_is_no_process_shows_no_fault() {
    for fault in faults::all() {
        let outcome = faults::try_on(&Target::Embedded, fault, Fence::Noop);
        assert!(matches!(outcome, Outcome::Unsupported(_)), "{outcome:?}");
    }
}

/// The text of a file of the repository.
fn repository(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()
}

/// What a row names that there is not.
fn strangers(row: &Row) -> Vec<String> {
    let is_no_rule = |rule: &&String| spec::find(rule).is_none();
    let rules = row.rules.iter().filter(is_no_rule);
    let is_no_fault = |name: &&String| faults::named(name).is_none();
    let strange = rules.chain(row.faults.iter().filter(is_no_fault));
    let is_no_test = |test: &&String| {
        let named = test.split_once(':').and_then(|(file, name)| {
            let text = repository(file)?;
            text.contains(&format!("\nfn {name}() {{")).then_some(())
        });
        named.is_none()
    };
    let strange = strange.chain(row.tests.iter().filter(is_no_test));
    strange
        .map(|name| format!("{}: {name}", row.name()))
        .collect()
}

#[test]
fn every_case_is_there_once_and_names_what_there_is() {
    let table = Table::shipped();
    let numbers: Vec<u16> = table.cases.iter().filter_map(|row| row.number).collect();
    assert_eq!(numbers, (1..=112).collect::<Vec<u16>>());
    let ids: BTreeSet<&str> = { table.vulnerabilities.iter() }
        .filter_map(|row| row.id.as_deref())
        .collect();
    assert_eq!(ids.len(), table.vulnerabilities.len(), "each once");
    let classes: BTreeSet<&str> = { table.vulnerabilities.iter() }
        .filter_map(|row| row.class.as_deref())
        .collect();
    let known: BTreeSet<&str> = table.classes.keys().map(String::as_str).collect();
    assert_eq!((classes.len(), classes), (9, known));
    let strange: Vec<String> = table.rows().flat_map(strangers).collect();
    assert!(strange.is_empty(), "there are none of {strange:#?}");
    for row in table.rows() {
        let shown = row.rules.len() + row.faults.len() + row.tests.len();
        let says_so = (shown == 0) == row.lacks.is_some();
        assert!(
            says_so,
            "{}: what shows it, or why nothing does",
            row.name()
        );
    }
}

#[test]
fn every_fault_shows_a_case() {
    let table = Table::shipped();
    let named: BTreeSet<&str> = { table.rows() }
        .flat_map(|row| &row.faults)
        .map(String::as_str)
        .collect();
    // What administrators ask for is no case of these.
    let others = ["counted-clients", "shutdown", "graceful-shutdown"];
    for fault in faults::all() {
        let is_shown = named.contains(fault.name) || others.contains(&fault.name);
        assert!(is_shown, "{} shows no case", fault.name);
    }
}

/// The matrix of one case, done to a careless server.
fn matrix_of(careless: &str, case: u16) -> Matrix {
    let mut table = Table::shipped();
    table.vulnerabilities.clear();
    table.cases.retain(|row| row.number == Some(case));
    let touchstone = env!("CARGO_BIN_EXE_touchstone");
    let command = format!("{touchstone} serve --careless {careless} --port {{port}} --");
    let subject = Subject {
        name: careless.to_owned(),
        over: "tcp",
        target: Target::Spawn(command),
        dialect: Dialect::default(),
    };
    let exchanges = conformance::cases::all().expect("they are in the notation");
    Matrix::of(table, vec![subject], &exchanges, (2, 1), |_, _, _| {})
}

#[test]
fn a_careless_server_breaks_its_case_and_a_careful_one_holds_it() {
    if !cfg!(target_os = "linux") {
        return skip("what only Linux tells of a process");
    }
    for (careless, case, cell) in [
        ("careful", 15, Cell::Held),
        ("careful", 10, Cell::Held),
        ("hoards-lines", 10, Cell::Broken),
        // It answers right, and leaves a descriptor open: an exchange notices that as well.
        ("leaks", 15, Cell::Broken),
        ("careful", 76, Cell::Test),
        ("careful", 107, Cell::Test),
    ] {
        let matrix = matrix_of(careless, case);
        assert_eq!(
            matrix.worst(),
            Some(cell),
            "{careless}, case {case}: {matrix}"
        );
    }
}

#[test]
fn a_target_that_cannot_be_started_is_told_of() {
    let table = Table::shipped();
    let subject = Subject {
        name: "nobody".to_owned(),
        over: "tcp",
        target: Target::Spawn("/no/such/program {port}".to_owned()),
        dialect: Dialect::default(),
    };
    let matrix = Matrix::of(table, vec![subject], &[], (1, 1), |_, _, _| {});
    assert!(
        matrix
            .columns
            .iter()
            .all(|column| column.unreachable.is_some())
    );
    assert!(
        matrix.to_string().contains("nothing could be tried"),
        "{matrix}"
    );
}

/// What a server that is started so says, and whether it serves.
fn started(command: &str) -> (bool, String) {
    let Ok((mut process, log)) = Process::start_with_log(command, "") else {
        return (false, String::new());
    };
    let serves = process.connect().is_ok_and(|mut client| {
        let asked = client.write_all(b"mn\r\n");
        let mut reply = String::new();
        let read = BufReader::new(&client).read_line(&mut reply);
        asked.is_ok() && read.is_ok() && reply == "MN\r\n"
    });
    process.end();
    let mut said = String::new();
    let mut log = log;
    // What was read before the pipe broke is what there is.
    let _ = log.read_to_string(&mut said);
    (serves, said)
}

#[test]
fn descriptors_that_are_not_to_be_had_are_told_of() {
    if let Some(built) = our_daemon() {
        let daemon = built.display();
        let limited = |name: &str, few: &str| {
            format!(
                "setpriv --reuid 65534 --clear-groups --inh-caps=-all sh -c \
                 'ulimit -n {few}; exec {daemon} -l 127.0.0.1 -c {name} -p {{port}}'"
            )
        };
        let (serves, said) = started(&limited("1000", "100"));
        assert!(serves, "{said}");
        assert!(said.contains("100 descriptors only"), "{said}");
        let (serves, said) = started(&limited("20", "100"));
        assert!(serves && !said.contains("descriptors"), "{said}");
    }
}

#[test]
fn what_cannot_be_written_stops_nobody() {
    if let Some(built) = our_daemon() {
        let daemon = format!("{} -u root -l 127.0.0.1 -vv -p {{port}}", built.display());
        let (serves, said) = started(&format!("{daemon} -P /no/such/folder/pid"));
        assert!(serves && said.contains("/no/such/folder/pid"), "{said}");
        let full = format!("sh -c 'exec {daemon} -P /dev/full 2>/dev/full'");
        let (serves, _) = started(&full);
        assert!(serves, "with a log that is full");
    }
}
