//! The suite as a third party uses it: from a crate of its own, in its own `cargo test`.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// As a third party writes it, but that the dependency is a path, and what it tries is told from
/// outside. The profile is ours, so that what is built already is not built again.
const MANIFEST: &str = r#"
[package]
name = "third-party"
version = "0.0.0"
edition = "2024"

[dev-dependencies]
touchstone = { package = "conformance", path = "CONFORMANCE" }

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
        .args(["test", "--offline", "--quiet"])
        .current_dir(crate_root)
        .env("CARGO_TARGET_DIR", target)
        .env("MY_SERVER", command);
    cargo.output().unwrap()
}

#[test]
fn a_third_party_tries_its_server_in_five_lines() {
    let crate_root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("third-party");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(crate_root.join("tests")).unwrap();
    fs::create_dir_all(crate_root.join("src")).unwrap();
    fs::write(crate_root.join("src/lib.rs"), "").unwrap();
    fs::write(crate_root.join("tests/conformance.rs"), TEST).unwrap();
    let manifest = MANIFEST.replace("CONFORMANCE", &ours.to_string_lossy());
    fs::write(crate_root.join("Cargo.toml"), manifest).unwrap();
    // Whatever is not in our lock file may not be here.
    fs::copy(ours.join("../Cargo.lock"), crate_root.join("Cargo.lock")).unwrap();

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
