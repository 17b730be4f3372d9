//! The process, as the system sees it, by the names that every exporter has for it. Read when somebody asks; what the system does
//! not tell is left out.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};

/// In so many parts a second is told by the kernel (proc(5), `sysconf(_SC_CLK_TCK)`): for programs it is 100 wherever Linux runs.
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let times = Times::read();
        if let Some(times) = &times {
            let seconds = ConstCounter::new(times.processor);
            let about = "Time of processors that was used, in seconds.";
            one(&mut encoder, "process_cpu_seconds", about, &seconds)?;
        }
        for (name, about, value) in [
            ("process_resident_memory_bytes", "Memory that is in use, in bytes.", resident()),
            ("process_open_fds", "Files and sockets that are open.", open_files()),
            (
                "process_max_fds",
                "How many files and sockets may be open.",
                getrlimit(Resource::Nofile).current.map(approximately),
            ),
            (
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
                times.map(|it| it.begun),
            ),
        ] {
            if let Some(value) = value {
                one(&mut encoder, name, about, &ConstGauge::new(value))?;
            }
        }
        Ok(())
    }
}

fn one(encoder: &mut DescriptorEncoder, name: &str, about: &str, metric: &impl EncodeMetric) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, about, None, metric.metric_type())?)
}

struct Times {
    processor: f64,
    begun: f64,
}

impl Times {
    /// proc(5), `/proc/pid/stat` and `/proc/stat`.
    fn read() -> Option<Self> {
        let (ours, all) = (read("/proc/self/stat")?, read("/proc/stat")?);
        // The name of the program stands in parentheses, and may have some itself.
        let fields: Vec<&str> = ours.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        let booted: f64 = all.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(Self { processor: (ticks(14)? + ticks(15)?) / TICKS, begun: booted + ticks(22)? / TICKS })
    }
}

/// proc(5), `/proc/pid/status`.
fn resident() -> Option<f64> {
    let status = read("/proc/self/status")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?;
    Some(kibibytes.parse::<f64>().ok()? * 1024.0)
}

fn open_files() -> Option<f64> {
    // One of them is the listing itself.
    let listed = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(approximately(u64::try_from(listed.saturating_sub(1)).ok()?))
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// What Prometheus keeps of any number.
#[expect(clippy::cast_precision_loss, reason = "Prometheus keeps no more of it")]
fn approximately(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        let times = Times::read().unwrap();
        let year_2020 = 1_577_836_800.0;
        assert!(times.begun > year_2020 && times.processor >= 0.0);
        assert!(resident().unwrap() > 100_000.0);
        let before = open_files().unwrap();
        let held = std::fs::File::open("/proc/self/stat").unwrap();
        // Other tests open and close files meanwhile.
        assert!(before >= 3.0 && open_files().unwrap() >= 4.0);
        drop(held);
    }
}
