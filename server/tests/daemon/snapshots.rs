//! That no snapshot outlives its test. One that changed is refused where `INSTA_UPDATE` is `no`.

use std::fs;

#[test]
fn every_snapshot_has_its_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/daemon");
    let snapshots = fs::read_dir(format!("{folder}/snapshots")).expect("there are some");
    for snapshot in snapshots.flatten() {
        let file = snapshot.file_name().to_string_lossy().into_owned();
        let name = file.strip_suffix(".snap");
        let name = name.and_then(|name| name.strip_prefix("daemon__")?.split_once("__"));
        let (module, test) = name.unwrap_or_else(|| panic!("{file} waits for its review"));
        // The second snapshot of a test is called `test-2`.
        let test = test.split('-').next().unwrap_or(test);
        let source = fs::read_to_string(format!("{folder}/{module}.rs"));
        let has_it = source.is_ok_and(|source| source.contains(&format!("fn {test}(")));
        assert!(has_it, "no test has {file}");
    }
}
