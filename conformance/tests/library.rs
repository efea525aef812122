//! The suite as a third party uses it: from a crate of its own, in its own `cargo test`.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// As a third party writes it, but that the repository is on this machine, and what it tries is
/// told from outside. The profile is ours, so that what is built already is not built again.
const MANIFEST: &str = r#"
[package]
name = "third-party"
version = "0.0.0"
edition = "2024"

[dev-dependencies]
touchstone = { package = "conformance", git = "file://REPOSITORY" }

[profile.dev]
opt-level = 1
debug = "line-tables-only"

# These are built again, for another workspace: as fast as can be.
[profile.dev.package]
conformance = { opt-level = 0, debug = false }
model = { opt-level = 0, debug = false }
server = { opt-level = 0, debug = false }
spec = { opt-level = 0, debug = false }

[workspace]
"#;

const TEST: &str = r#"
#[test]
fn my_server_conforms() {
    let command = std::env::var("MY_SERVER").unwrap();
    touchstone::spawn(command).only("deletion").without("binary").assert();
}
"#;

/// The third party's `cargo test` for a server that this command starts.
fn cargo_test(crate_root: &Path, command: &str) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--quiet"])
        .current_dir(crate_root)
        .env("CARGO_TARGET_DIR", target)
        .env("MY_SERVER", command);
    cargo.output().unwrap()
}

/// What stands here now, committed to a repository of its own: a clone of ours may be shallow, and
/// lacks what is not committed yet. The same files make the same commit, which is built once.
fn repository(ours: &Path) -> Option<PathBuf> {
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("repository");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).unwrap();
    for name in [
        "Cargo.toml",
        "Cargo.lock",
        "spec",
        "model",
        "server",
        "conformance",
        "fuzz",
    ] {
        copy_all(&ours.join(name), &copy.join(name));
    }
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let date = "2000-01-01T00:00:00Z";
        git.args([
            "-c",
            "user.name=somebody",
            "-c",
            "user.email=somebody@localhost",
        ])
        .args(arguments)
        .current_dir(&copy)
        .env("GIT_AUTHOR_DATE", date)
        .env("GIT_COMMITTER_DATE", date);
        git.output()
    };
    if git(&["--version"]).is_err() {
        // Not by a macro: what that prints is kept from whoever runs the tests.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED a git dependency: there is no git here"
        );
        return None;
    }
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["commit", "-q", "-m", "All of it"],
    ] {
        let done = git(arguments).unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
    }
    Some(copy)
}

/// Copies a file, or a folder without what was built there.
fn copy_all(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        // What cargo builds into is tagged; a folder of ours may be called `target` too.
        if name != ".git" && !from.join(&name).join("CACHEDIR.TAG").exists() {
            copy_all(&from.join(&name), &to.join(&name));
        }
    }
}

#[test]
fn a_third_party_tries_its_server_in_five_lines() {
    let crate_root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("third-party");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let Some(repository) = repository(ours) else {
        return;
    };
    fs::create_dir_all(crate_root.join("tests")).unwrap();
    fs::create_dir_all(crate_root.join("src")).unwrap();
    fs::write(crate_root.join("src/lib.rs"), "").unwrap();
    fs::write(crate_root.join("tests/conformance.rs"), TEST).unwrap();
    let manifest = MANIFEST.replace("REPOSITORY", &repository.to_string_lossy());
    fs::write(crate_root.join("Cargo.toml"), manifest).unwrap();
    // Whatever is not in our lock file may not be here.
    fs::copy(ours.join("Cargo.lock"), crate_root.join("Cargo.lock")).unwrap();

    let touchstone = env!("CARGO_BIN_EXE_touchstone");
    let good = cargo_test(
        &crate_root,
        &format!("{touchstone} serve --model --port {{port}}"),
    );
    let said = String::from_utf8_lossy(&good.stderr);
    assert!(good.status.success(), "{said}");
    let liar = format!("{touchstone} serve --liar keeps-deleted --port {{port}}");
    let bad = cargo_test(&crate_root, &liar);
    assert!(!bad.status.success());
    let said = String::from_utf8_lossy(&bad.stdout);
    assert!(said.contains("deletion."), "{said}");
}
