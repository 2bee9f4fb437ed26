//! What the kernel says about a process: processor time and memory, from `/proc` (`proc(5)`).

use anyhow::Context;
use std::time::Duration;

/// Clock ticks of `/proc/<pid>/stat` per second: `USER_HZ`, 100 on every Linux that this runs on.
const TICKS: u64 = 100;

/// Processor time that a process has used so far, all threads, user and system; in steps of 10 ms.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = ticks(&stat).with_context(|| format!("/proc/{pid}/stat has not the fields of proc(5)"))?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// Resident memory now, bytes.
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmRSS")
}

/// The most memory that was ever resident, bytes.
pub fn peak(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmHWM")
}

fn memory(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status"))?;
    kibibytes(&status, field).map(|kib| kib * 1_024).with_context(|| format!("/proc/{pid}/status has no {field}"))
}

/// Fields 14 and 15 of `stat`. They are counted from the last `)`: the name in field 2 may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The number of a line like `VmRSS: 2160 kB`.
fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let rest = "S 32050 32050 29057 0 -1 4194304 105 0 0 0 41 7 3 5 20 0 1 0 210825 2998272 421";
        for name in ["head", "a b", ") R 1 (", "x)y"] {
            assert_eq!(ticks(&format!("32061 ({name}) {rest}")), Some(48), "{name}");
        }
        assert_eq!(ticks("32061 (head) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn memory_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t    2160 kB\nVmRSS:\t    1984 kB\nRssAnon:\t 100 kB\n";
        assert_eq!(kibibytes(status, "VmRSS"), Some(1_984));
        assert_eq!(kibibytes(status, "VmHWM"), Some(2_160));
        assert_eq!(kibibytes(status, "Vm"), None);
        assert_eq!(kibibytes("VmRSS:\tmany kB", "VmRSS"), None);
    }

    #[test]
    fn this_process_has_figures() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 100_000);
        assert!(peak(pid).unwrap() >= 100_000);
        cpu(pid).unwrap();
    }
}
