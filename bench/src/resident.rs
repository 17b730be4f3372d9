//! Memory of a process as the kernel accounts it: what it holds now, and the most that it held.

use crate::Outcome;

/// Resident memory in MiB.
pub(crate) fn now(process: u32) -> Outcome<f64> {
    mebibytes(process, "VmRSS:")
}

/// The most in MiB since [`forget_peak`], or since the start.
pub(crate) fn peak(process: u32) -> Outcome<f64> {
    mebibytes(process, "VmHWM:")
}

/// Has the peak begin anew at what the process holds now (proc(5), `clear_refs`).
pub(crate) fn forget_peak(process: u32) -> Outcome<()> {
    Ok(std::fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

fn mebibytes(process: u32, name: &str) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    let kibibytes = kibibytes.ok_or_else(|| format!("the kernel tells no {name}"))?;
    Ok(kibibytes.parse::<f64>()? / 1024.0)
}
