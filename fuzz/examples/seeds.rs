//! Writes the seeds of each fuzz target and a dictionary, drawn from the law, into a folder.
//!
//! `cargo run -p fuzz --example seeds -- DIR` makes `DIR/TARGET/…` and `DIR/words.dict`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

use fuzz::seeds::{TARGETS, seeds, words};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("name the folder to write to: cargo run -p fuzz --example seeds -- DIR");
        std::process::exit(2);
    };
    for (target, _) in TARGETS {
        let own = folder.join(target);
        fs::create_dir_all(&own)?;
        for (number, seed) in seeds(target).into_iter().enumerate() {
            fs::write(own.join(format!("law-{number:04}")), seed)?;
        }
    }
    let mut dictionary = String::new();
    for word in words() {
        let escaped: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let _ = writeln!(dictionary, "\"{escaped}\"");
    }
    fs::write(folder.join("words.dict"), dictionary)
}
