//! What the tests of the house and of the law both read: the files of the repository.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use spec::Requirement;
use spec::exchange::{Exchange, examples};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("spec stands in the root")
        .to_owned()
}

/// Every file below a folder with one of these endings, as path from the root and text.
///
/// Build output and version control are not the repository's own.
pub(crate) fn files(below: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                // What is called so among sources is a source.
                let is_built = name == "target" && !folder.ends_with("src");
                let others = [".git", "corpus", "artifacts", "coverage"];
                if !is_built && !others.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).expect("the file is text");
                let path = path.strip_prefix(root()).expect("it is below the root");
                found.push((path.to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// Fails with every complaint at once, each on a line of its own.
pub(crate) fn none(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Where a requirement stands.
pub(crate) fn at(requirement: &Requirement) -> String {
    format!(
        "spec/{}.md:{}: {}",
        requirement.chapter, requirement.line, requirement.name
    )
}

/// Every exchange of the prose.
pub(crate) fn exchanges() -> Vec<Exchange> {
    examples().unwrap_or_else(|error| panic!("{error}"))
}
