//! Which signals the program was started to ignore.
//!
//! The system call that tells needs unsafe code, so its result is read where
//! the system shows it to users.

#[cfg(not(any(target_os = "android", target_os = "linux")))]
use std::process::Command;

/// The signals that are ignored; none if that cannot be found out.
pub(super) fn ignored() -> Vec<i32> {
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

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn mask() -> Option<u64> {
    let ps =
        Command::new("ps").args(["-o", "ignored=", "-p", &std::process::id().to_string()]).output().ok()?;
    u64::from_str_radix(std::str::from_utf8(&ps.stdout).ok()?.trim(), 16).ok()
}
