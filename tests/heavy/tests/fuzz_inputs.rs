//! The checks of the fuzz targets, of their seeds and of all inputs that failed once, cut off and changed in places.

#[path = "../../../fuzz/src/checks/mod.rs"]
#[allow(unreachable_pub, reason = "a fuzz target is the other user")]
mod checks;

use std::fs;
use std::path::Path;

#[test]
fn seeds_and_found_inputs_pass() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (target, check) in checks::ALL {
        let mut inputs = inputs(&fuzz.join("seeds").join(target));
        assert!(!inputs.is_empty(), "no seeds for {target}");
        inputs.extend(self::inputs(&fuzz.join("found").join(target)));
        for input in inputs {
            check(&input);
            for damaged in damaged(&input) {
                check(&damaged);
            }
        }
    }
}

#[test]
fn every_target_is_checked() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let names = fs::read_dir(targets).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    // The scanner is private, except for fuzz targets; it has a test of its own.
    names.retain(|name| name != "json_scan");
    assert_eq!(names, checks::ALL.map(|(name, _)| name));
}

fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// A few inputs that a fuzzer would try first: cut off, a byte changed, a part repeated.
fn damaged(input: &[u8]) -> Vec<Vec<u8>> {
    let positions = (0..8).map(|eighth| input.len() * eighth / 8);
    positions
        .flat_map(|at| {
            let mut changed = input.to_vec();
            changed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x21);
            let repeated = [&input[..at], &input[at / 2..]].concat();
            [input[..at].to_vec(), changed, repeated]
        })
        .collect()
}
