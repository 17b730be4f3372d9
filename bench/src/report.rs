//! The page that a run makes: its figures with their targets, and charts of them. Nothing is measured here, so a page can be made
//! again from the file of its run.

mod bars;
mod charts;
mod curves;
mod page;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::Run;

/// The page, and the folder beside it for charts and raw figures.
const PAGE: &str = "benchmarks.md";
const FOLDER: &str = "benchmarks";
const FIGURES: &str = "figures.json";

/// Writes the page into a folder, and tells where it is. Charts of an earlier page go.
pub(crate) fn write(run: &Run, folder: &Path) -> Outcome<PathBuf> {
    let beside = folder.join(FOLDER);
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    let figures = beside.join(FIGURES);
    run.write(&figures)?;
    // The file has five digits of each figure: a half may fall to the other side there.
    let run = &Run::read(&figures)?;
    for chart in charts::of(run) {
        fs::write(beside.join(&chart.file), &chart.svg)?;
    }
    let page = folder.join(PAGE);
    fs::write(&page, page::of(run))?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FIGURES, FOLDER, PAGE, charts, page, write};
    use crate::run::Run;
    use crate::table::{Cell, Column, Table};

    /// `cargo xtask gen benchmarks` writes it again.
    #[test]
    fn the_page_of_the_docs_is_what_its_figures_make() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let run = Run::read(&docs.join(FOLDER).join(FIGURES)).unwrap();
        assert!(!run.quick, "the docs have figures that nobody may quote");
        if std::env::var_os("DAYPASS_REGENERATE").is_some() {
            write(&run, &docs).unwrap();
        }
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let stale = "is stale: `cargo xtask gen benchmarks` writes it again";
        assert!(read(&docs.join(PAGE)) == page::of(&run), "{PAGE} {stale}");
        for chart in charts::of(&run) {
            assert!(read(&docs.join(FOLDER).join(&chart.file)) == chart.svg, "{} {stale}", chart.file);
        }
    }

    #[test]
    fn a_page_comes_with_its_figures_and_charts() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join(FOLDER).join("stale.svg");
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        std::fs::write(&stale, "").unwrap();
        let mut run = Run::new("cargo xtask bench --report".into(), true);
        let mut table = Table::new("signature", "The yardstick", [Column::less("CPU", "µs", 1)]);
        for number in 1..4_u32 {
            let almost_a_half = (f64::from(number) + 0.75).next_down();
            table.row(number.to_string(), [Some(Cell::of([almost_a_half]))]);
        }
        run.tables.push(table);
        let page = write(&run, folder.path()).unwrap();
        let read = Run::read(&folder.path().join(FOLDER).join(FIGURES)).unwrap();
        assert!(std::fs::read_to_string(&page).unwrap() == page::of(&read));
        assert!(page.ends_with(PAGE) && page.exists());
        assert!(folder.path().join(FOLDER).join(FIGURES).exists());
        assert!(!stale.exists());
    }
}
