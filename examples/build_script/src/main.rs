//! Prints what the build script has waited for.
//!
//! `cargo run --manifest-path examples/build_script/Cargo.toml`

include!(concat!(env!("OUT_DIR"), "/export.rs"));

fn main() {
    println!("exported to {OUTPUT_URI}");
}
