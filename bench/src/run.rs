//! A run: what was measured, where, and of which commit, as a file that the page is made from and that later runs are compared
//! with.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::machine::Machine;
use crate::table::Table;

/// Goes up when a file of before can no longer be read.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    format: u32,
    /// A quick run's figures are not to be quoted.
    pub(crate) quick: bool,
    /// What was typed.
    pub(crate) command: String,
    pub(crate) commit: String,
    pub(crate) compiler: String,
    pub(crate) machine: Machine,
    pub(crate) seconds: u64,
    pub(crate) tables: Vec<Table>,
}

impl Run {
    /// One that begins, of the commit and by the compiler that `cargo xtask bench` names.
    pub(crate) fn new(command: String, quick: bool) -> Self {
        let told = |name| std::env::var(name).unwrap_or_else(|_| "unknown".into());
        let (commit, compiler) = (told("BENCH_COMMIT"), told("BENCH_COMPILER"));
        let machine = Machine::look();
        Self { format: FORMAT, quick, command, commit, compiler, machine, seconds: 0, tables: Vec::new() }
    }

    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| named(&error))?;
        let run: Self = serde_json::from_str(&text).map_err(|error| named(&error))?;
        if run.format == FORMAT {
            Ok(run)
        } else {
            Err(named(&"it is of another version of the bench").into())
        }
    }

    /// Written beside its place and moved there, so that a run that ends early leaves the file of before.
    pub(crate) fn write(&self, file: &Path) -> Outcome<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut text = Vec::new();
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut text, LineForEachObject))?;
        text.push(b'\n');
        let beside = file.with_extension("new");
        fs::write(&beside, text.trim_ascii_start())?;
        Ok(fs::rename(beside, file)?)
    }

    pub(crate) fn table(&self, id: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }
}

/// Begins a line with each object, so that a figure stands in a line of its own with its rounds.
struct LineForEachObject;

impl serde_json::ser::Formatter for LineForEachObject {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n{")
    }
}

#[cfg(test)]
mod tests {
    use super::Run;
    use crate::table::{Cell, Column, Table};

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("below").join("run.json");
        let mut run = Run::new("cargo xtask bench token".into(), true);
        let mut table = Table::new("token", "A token", [Column::more("answers", "", 0)]);
        table.row("4 connections", [Some(Cell::of([2.0, 1.0]).at_least(1.5))]);
        table.row("32 connections", [None]);
        run.tables.push(table);
        run.write(&file).unwrap();
        let read = Run::read(&file).unwrap();
        assert_eq!(read.machine, run.machine);
        let cell = read.table("token").and_then(|table| table.cell("4 connections", "answers")).unwrap();
        assert_eq!((cell.rounds.count(), cell.reached()), (2, Some(true)));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("\n{\"rounds\":[1.0,2.0],"), "{text}");
        std::fs::write(&file, text.replace("\"format\":1", "\"format\":2")).unwrap();
        assert!(Run::read(&file).is_err_and(|error| error.to_string().contains("run.json")));
    }
}
