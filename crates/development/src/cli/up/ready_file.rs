//! `--ready-file`: what is running where, for programs that wait for it. The file is there, whole, as long as `up`
//! answers.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A ready file. It goes away with this.
pub struct ReadyFile {
    path: PathBuf,
}

impl ReadyFile {
    /// Takes away what an earlier `up` left there, so that nobody takes it for this one's.
    ///
    /// # Errors
    /// If something else is there, or the place cannot be written.
    pub fn clear(path: &Path) -> anyhow::Result<Self> {
        match fs::read(path) {
            Ok(text) if text.is_empty() || text.starts_with(b"{") => {
                fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
            }
            Ok(_) => bail!("{} is something else than a ready file: name another one", path.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Puts the line there, whole: whoever finds the file can read it.
    ///
    /// # Errors
    /// If the place cannot be written.
    pub fn write(&self, line: &str) -> anyhow::Result<()> {
        let draft = self.draft();
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")))
            .and_then(|()| fs::rename(&draft, &self.path));
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Beside it, because only there a file can be put in place at once.
    fn draft(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        self.path.with_file_name(name)
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Whoever took it away already wanted nothing else.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_there_as_long_as_it_is_true() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ready.json");
        for left_over in ["", "{\"of\":\"another\"}"] {
            fs::write(&path, left_over).unwrap();
            let file = ReadyFile::clear(&path).unwrap();
            assert!(!path.exists());
            file.write("{}").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
            drop(file);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_is_no_ready_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daypass.toml");
        fs::write(&path, "[pool]").unwrap();
        let error = ReadyFile::clear(&path).err().unwrap();
        assert!(error.to_string().contains("something else than a ready file"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[pool]");
        assert!(ReadyFile::clear(dir.path()).is_err(), "a folder");
        let nowhere = ReadyFile::clear(&dir.path().join("none/ready.json")).unwrap();
        assert!(nowhere.write("{}").unwrap_err().to_string().contains("cannot write"));
    }
}
