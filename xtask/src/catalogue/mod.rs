//! `cargo xtask catalogue`: Datadog's published material → static tables and body schemas of `crates/catalogue`.
//!
//! Facts only leave here: names, paths, types, enums, bounds, scopes and relations. The same input gives the same bytes.

mod bodies;
mod extra;
mod facts;
mod paging;
mod render;
mod schema;
mod scopes;
mod shape;
mod source;
mod tables;

use anyhow::{Result, bail};
use clap::Args;
use extra::Extra;
use source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Arguments of `cargo xtask catalogue`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when the files are not what the generator would write.
    #[arg(long)]
    check: bool,
}

/// Generated files by their path under `crates/catalogue/src/generated`.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Runs the generator.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let crate_folder = crate::workspace().join("crates/catalogue");
    let target = crate_folder.join("src/generated");
    let files = generate(&crate::data_folder(), &crate_folder.join("extra.toml"))?;
    let stale = stale(&target, &files)?;
    if arguments.check {
        if let Some(first) = stale.first() {
            bail!("{} generated files are stale (first: {}); run `cargo xtask catalogue`", stale.len(), first.display());
        }
        return Ok(());
    }
    for path in stale {
        let place = target.join(&path);
        match files.get(&path) {
            Some(bytes) => {
                if let Some(folder) = place.parent() {
                    fs_err::create_dir_all(folder)?;
                }
                fs_err::write(place, bytes)?;
            }
            None => fs_err::remove_file(place)?,
        }
    }
    Ok(())
}

/// All generated files, from the data folder and the hand-written file.
fn generate(data: &Path, extra: &Path) -> Result<Files> {
    let source = Source::read(data)?;
    let extra = Extra::read(&fs_err::read_to_string(extra)?)?;
    tables::files(&source, &extra)
}

/// Paths that differ between the folder and `files`: changed, missing, or left over.
fn stale(target: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    let mut stale: Vec<PathBuf> = Vec::new();
    for (path, bytes) in files {
        let place = target.join(path);
        if !place.exists() || &fs_err::read(place)? != bytes {
            stale.push(path.clone());
        }
    }
    for folder in [target.to_path_buf(), target.join("operations")] {
        if !folder.exists() {
            continue;
        }
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path().strip_prefix(target)?.to_path_buf();
            if entry.file_type()?.is_file() && !files.contains_key(&path) {
                stale.push(path);
            }
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use super::*;

    /// The generator against the files of the repository, twice: what it writes is what is there, and it writes the same again.
    #[test]
    fn the_generated_files_are_what_the_generator_writes() {
        let data = crate::data_folder();
        if !data.exists() {
            eprintln!("skipped: no data folder");
            return;
        }
        let crate_folder = crate::workspace().join("crates/catalogue");
        let extra = crate_folder.join("extra.toml");
        let files = generate(&data, &extra).unwrap();
        let stale = stale(&crate_folder.join("src/generated"), &files).unwrap();
        assert_eq!(stale, Vec::<PathBuf>::new(), "run `cargo xtask catalogue`");
        assert_eq!(files, generate(&data, &extra).unwrap());
    }

    #[test]
    fn changed_missing_and_left_over_files_are_stale() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("operations")).unwrap();
        for (name, text) in [("same.rs", "1"), ("changed.rs", "2"), ("operations/old.rs", "3")] {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let files = [("same.rs", "1"), ("changed.rs", "9"), ("missing.rs", "4")];
        let files: Files = files.map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).into();
        let expected = ["changed.rs", "missing.rs", "operations/old.rs"].map(PathBuf::from);
        assert_eq!(stale(folder.path(), &files).unwrap(), expected);
    }
}
