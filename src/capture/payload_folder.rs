//! A folder of our own for payloads that are written one by one.
//!
//! In: a name that the user gave, then names of ours. Out: files that were not there before. Nothing goes through a symbolic link: the
//! folder must not be one, and everything in it is opened from it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, mkdirat};

use super::Outputs;

/// The folder, open.
#[derive(Debug)]
pub struct PayloadFolder {
    folder: OwnedFd,
    path: PathBuf,
}

const FOLDER: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl PayloadFolder {
    /// Opens it; creates it when it is not there.
    ///
    /// # Errors
    ///
    /// It is a symbolic link or no folder, or files cannot be created there.
    pub fn open(path: &Path, outputs: &Outputs) -> io::Result<Self> {
        // Without a slash at its end, behind which a link would be followed.
        let path: PathBuf = path.components().collect();
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(outputs.explained(error)),
            _ => {}
        }
        let folder = open(&path, FOLDER, Mode::empty()).map_err(|error| match error {
            Errno::ELOOP | Errno::ENOTDIR => io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a symbolic link, or no folder; expected a folder, or the name of one to create",
            ),
            error => outputs.explained(error.into()),
        })?;
        outputs.may_create_in(&path)?;
        Ok(Self { folder, path })
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a file in it, which must not be there.
    ///
    /// # Errors
    ///
    /// It is there already, or cannot be created.
    pub fn create(&self, name: &str) -> io::Result<File> {
        create(&self.folder, name)
    }

    /// Creates a file in a folder in it; creates that one when it is not there.
    ///
    /// # Errors
    ///
    /// The file is there already, the inner folder is a symbolic link, or they cannot be created.
    pub fn create_in(&self, inner: &str, name: &str) -> io::Result<File> {
        match mkdirat(&self.folder, OsStr::new(inner), Mode::from_bits_truncate(0o777)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let inner = openat(&self.folder, OsStr::new(inner), FOLDER, Mode::empty())?;
        create(&inner, name)
    }
}

fn create(folder: impl AsFd, name: &str) -> io::Result<File> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(folder, OsStr::new(name), flags, Mode::from_bits_truncate(0o666))?;
    Ok(File::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn nothing_goes_through_a_symbolic_link_or_over_a_file() {
        let outer = tempfile::tempdir().unwrap();
        let (real, link) = (outer.path().join("real"), outer.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        let outputs = Outputs::default();
        for path in [link.clone(), link.join(""), link.join(".")] {
            let error = PayloadFolder::open(&path, &outputs).unwrap_err();
            assert!(
                error.to_string().contains("symbolic link"),
                "{}: {error}",
                path.display()
            );
        }
        let folder = PayloadFolder::open(&real, &outputs).unwrap();
        folder.create_in("session-1", "a").unwrap();
        assert!(folder.create_in("session-1", "a").is_err());
        symlink(outer.path(), real.join("session-2")).unwrap();
        assert!(folder.create_in("session-2", "a").is_err());
        symlink(outer.path().join("b"), real.join("b")).unwrap();
        assert!(folder.create("b").is_err());
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 2);
    }
}
