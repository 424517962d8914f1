//! Which signals the program was started to ignore.
//!
//! A shell starts a program under `nohup` with SIGHUP ignored, and a script
//! starts a background job with SIGINT ignored. A handler would take that back.
//! The system call that tells needs unsafe code, so its result is read where
//! the system shows it to users: in `/proc`, or by `ps`.

#[cfg(not(any(target_os = "android", target_os = "linux")))]
use std::process::Command;

/// Returns the signals that are ignored; none if that cannot be found out.
pub(super) fn ignored() -> Vec<i32> {
    // If it cannot be found out, signals are taken: Ctrl-C has to work.
    let mask = mask().unwrap_or_default();
    (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
}

/// A bit for each signal, the lowest for signal 1.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn mask() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Does the same by `ps`, which the BSDs and macOS have.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn mask() -> Option<u64> {
    let ps =
        Command::new("ps").args(["-o", "ignored=", "-p", &std::process::id().to_string()]).output().ok()?;
    u64::from_str_radix(std::str::from_utf8(&ps.stdout).ok()?.trim(), 16).ok()
}
