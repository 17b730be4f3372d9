//! Which cores work for the server and which for its clients. What clients do between a request's time and its sending would
//! otherwise count as the server's.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Outcome;

/// Two halves of the cores that this program may use. With one core, both are that.
pub(crate) struct Halves {
    server: CpuSet,
    clients: CpuSet,
    all: CpuSet,
    /// How many each half has.
    pub(crate) each: usize,
}

impl Halves {
    pub(crate) fn of_this_machine() -> Outcome<Self> {
        let all = sched_getaffinity(None)?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).collect();
        let each = (cores.len() / 2).max(1);
        let (server, clients) = (set(&cores[..each]), set(&cores[cores.len() - each..]));
        Ok(Self { server, clients, all, each })
    }

    /// Starts something whose processes and threads have the server's cores.
    pub(crate) fn for_the_server<T>(&self, start: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.within(&self.server, start)
    }

    /// Does something with the clients' cores, in this thread and those that it starts.
    pub(crate) fn for_clients<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.within(&self.clients, work)
    }

    fn within<T>(&self, cores: &CpuSet, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        sched_setaffinity(None, cores)?;
        let done = work();
        sched_setaffinity(None, &self.all)?;
        done
    }
}

fn set(cores: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    set
}

#[cfg(test)]
mod tests {
    use rustix::thread::sched_getaffinity;

    use super::Halves;

    #[test]
    fn what_was_borrowed_is_given_back() {
        let halves = Halves::of_this_machine().unwrap();
        let lent = halves.for_clients(|| Ok(sched_getaffinity(None)?)).unwrap();
        assert_eq!(lent.count() as usize, halves.each);
        assert_eq!(sched_getaffinity(None).unwrap(), halves.all);
        assert!(halves.for_the_server(|| Err::<(), _>("it does not start".into())).is_err());
        assert_eq!(sched_getaffinity(None).unwrap(), halves.all);
    }
}
