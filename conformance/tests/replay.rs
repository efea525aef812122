//! What `touchstone replay` plays a file to: the same targets as `check`, under the same guard.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use conformance::serve::Service;
use spec::Dialect;

/// Two exchanges: one about a key, one about everybody's.
const FILE: &str = "\
r[framing.pipeline]
> set k 0 0 1 ⏎ a
< STORED

r[framing.pipeline]
> flush_all
< OK
";

/// The exit code of `touchstone replay FILE …`, and what it said.
fn replay(arguments: &[&str]) -> (i32, String) {
    let name = thread::current().name().unwrap().replace("::", "-");
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.exchange"));
    fs::write(&file, FILE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchstone"));
    let output = command.arg("replay").arg(&file).args(arguments);
    let output = output.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code().unwrap(), said)
}

/// A server of the model's, somebody's cache for whoever is told only its port.
fn somebodys() -> String {
    let service = Service::bind(0, None, Dialect::default()).unwrap();
    let place = format!("127.0.0.1:{}", service.port().unwrap());
    thread::spawn(move || service.run());
    place
}

#[test]
fn a_file_replays_to_ours_to_the_model_and_to_no_liar() {
    for arguments in [&[][..], &["--model"], &["--shape", "split"]] {
        let (code, said) = replay(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
    }
    let (code, said) = replay(&["--liar", "ok"]);
    assert_eq!(code, 1, "{said}");
}

#[test]
fn somebodys_cache_is_guarded_in_a_replay_as_in_a_check() {
    let place = somebodys();
    let (code, said) = replay(&[&place]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("--allow-flush"), "{said}");
    let (code, said) = replay(&[&place, "--allow-flush"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("--allow-flush"), "{said}");
}

#[test]
fn two_targets_are_one_too_many_and_none_there_is_unreachable() {
    assert_eq!(replay(&["a:1", "--model"]).0, 2);
    assert_eq!(replay(&["unix:"]).0, 2);
    assert_eq!(replay(&["127.0.0.1:1"]).0, 4);
}
