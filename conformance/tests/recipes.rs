//! What `README.md` and `action.yml` tell others to copy: each recipe is run as it stands there.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");
const ACTION: &str = include_str!("../action.yml");
const TOUCHSTONE: &str = env!("CARGO_BIN_EXE_touchstone");

/// A folder of this test's own, in which `my-server` is what `touchstone serve` is told.
fn folder(name: &str, served: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    symlink(TOUCHSTONE, folder.join("touchstone")).unwrap();
    let script = format!("#!/bin/sh\nexec touchstone serve {served} --port \"$2\"\n");
    fs::write(folder.join("my-server"), script).unwrap();
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("my-server"), executable).unwrap();
    folder
}

/// Runs a command there, with `touchstone` in its PATH.
fn run_in(folder: &Path, command: &mut Command) -> Output {
    #[expect(clippy::disallowed_methods, reason = "the command needs its own tools")]
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", folder.display());
    command
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap()
}

/// The one recipe of `README.md` in this language that says this.
fn recipe(language: &str, says: &str) -> String {
    let opening = format!("\n```{language}\n");
    let mut recipes = README.split(opening.as_str()).skip(1);
    let recipe = recipes.find(|recipe| recipe.split("\n```").next().unwrap().contains(says));
    let recipe = recipe.unwrap_or_else(|| panic!("no {language} recipe says `{says}`"));
    recipe.split("\n```").next().unwrap().to_owned() + "\n"
}

/// The recipe, which is to try one chapter only: all would take long here.
fn quick(recipe: &str) -> String {
    let quick = recipe.replace(
        "\"touchstone\", \"check\",",
        "\"touchstone\", \"check\", \"deletion\",",
    );
    assert_ne!(recipe, quick, "the recipe calls `touchstone check`");
    quick
}

/// Whether this is here; its absence is said aloud.
fn is_here(tool: &str, argument: &str) -> bool {
    let here = Command::new(tool).arg(argument).output().is_ok();
    if !here {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED the recipe for {tool}: there is none in PATH"
        );
    }
    here
}

/// Runs what a recipe needs in a folder whose server obeys, and in one whose server lies.
fn obeys_and_lies(name: &str, run: impl Fn(&Path) -> Output) {
    let good = run(&folder(&format!("{name}-good"), "--model"));
    let said = [good.stdout, good.stderr].concat();
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&said));
    let bad = run(&folder(&format!("{name}-bad"), "--liar keeps-deleted"));
    assert!(!bad.status.success(), "{name}: a liar passes");
    let said = [bad.stdout, bad.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("deletion."), "{name}: {said}");
}

#[test]
fn the_recipe_for_pytest_fails_for_a_liar_only() {
    if !is_here("python3", "--version") {
        return;
    }
    let recipe = quick(&recipe("python", "def test_"));
    obeys_and_lies("recipe-python", |folder| {
        fs::write(folder.join("test_conformance.py"), &recipe).unwrap();
        let calls = "import test_conformance as t\n\
                     [call() for name, call in vars(t).items() if name.startswith('test_')]";
        run_in(folder, Command::new("python3").args(["-c", calls]))
    });
}

#[test]
fn the_recipe_for_go_fails_for_a_liar_only() {
    if !is_here("go", "version") {
        return;
    }
    let recipe = quick(&recipe("go", "func Test"));
    obeys_and_lies("recipe-go", |folder| {
        fs::write(folder.join("conformance_test.go"), &recipe).unwrap();
        fs::write(folder.join("go.mod"), "module mine\n").unwrap();
        run_in(folder, Command::new("go").args(["test", "./..."]))
    });
}

#[test]
fn the_recipe_for_rust_is_what_the_library_shows() {
    let recipe = recipe("rust", "touchstone::spawn");
    assert_eq!(
        recipe.lines().filter(|line| !line.is_empty()).count(),
        5,
        "{recipe}"
    );
}

/// The options of `touchstone check`, by its own help.
fn options() -> BTreeSet<String> {
    let help = Command::new(TOUCHSTONE).args(["check", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    named_options(&help)
}

/// Every `--word` in a text.
fn named_options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let named = words.filter(|word| word.starts_with("--") && !word.ends_with('-'));
    named.map(str::to_owned).collect()
}

/// The part of `action.yml` between these two lines.
fn section<'a>(begins: &str, ends: &str) -> &'a str {
    let (_, rest) = ACTION.split_once(begins).unwrap();
    rest.split_once(ends).map_or(rest, |(section, _)| section)
}

#[test]
fn every_input_of_the_action_is_an_option_of_the_tool() {
    let inputs = section("\ninputs:\n", "\nruns:");
    let names = inputs.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        (!name.starts_with(' ')).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 5, "{names:?}");
    let options = options();
    for name in names {
        let positional = ["target", "rules"].contains(&name);
        assert!(
            positional || options.contains(&format!("--{name}")),
            "{name}"
        );
        assert!(
            ACTION.contains(&format!("${{{{ inputs.{name} }}}}")),
            "{name} is not used"
        );
    }
    let script = section("      run: |\n", "\n\n");
    let unknown: Vec<String> = named_options(script)
        .difference(&options)
        .cloned()
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_script_of_the_action_fails_for_a_liar_only() {
    let script = section("      run: |\n", "\n\n").replace("\n        ", "\n");
    obeys_and_lies("recipe-action", |folder| {
        let release = folder.join("target/release");
        fs::create_dir_all(&release).unwrap();
        symlink(TOUCHSTONE, release.join("touchstone")).unwrap();
        fs::create_dir_all(folder.join("conformance")).unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", &script])
            .env("GITHUB_ACTION_PATH", folder.join("conformance"))
            .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
            .envs([
                ("TARGET", ""),
                ("SPAWN", "./my-server -p {port}"),
                ("DIALECT", "law"),
            ])
            .envs([
                ("RULES", "deletion deletion.*"),
                ("WITHOUT", "binary,udp"),
                ("LEVEL", "must"),
            ])
            .envs([("BASELINE", ""), ("REPORT", "junit=out.xml")]);
        let output = run_in(folder, &mut bash);
        assert!(folder.join("out.xml").exists() && folder.join("summary.md").exists());
        output
    });
}

#[test]
fn every_option_that_the_readme_names_exists() {
    let mut known = options();
    let on_trial = ["explore", "storm", "faults", "soak"];
    let others = [
        "list", "replay", "record", "serve", "selftest", "compare", "matrix",
    ];
    for command in on_trial.into_iter().chain(others) {
        let help = Command::new(TOUCHSTONE).args([command, "--help"]).output();
        known.extend(named_options(
            &String::from_utf8(help.unwrap().stdout).unwrap(),
        ));
    }
    // Of cargo's and of container tools'.
    let others = [
        "--release",
        "--locked",
        "--target",
        "--rm",
        "--network",
        "--from",
    ];
    known.extend(others.map(str::to_owned));
    known.extend(["--example", "--git"].map(str::to_owned));
    let unknown: Vec<String> = named_options(README).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
