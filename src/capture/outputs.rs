//! Files that are written, and never over one that is read.
//!
//! In: the files that are being read, and the name of one to write. Out: the file, empty; or an error before anything in it was
//! touched. It is created with the rights that the process has then, so after root was given up.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{self, AccessFlags};

use super::error::reason;

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of a regular file: what is written to a pipe or a device is not read from it again.
    fn of(file: BorrowedFd<'_>) -> io::Result<Option<Self>> {
        let metadata = File::from(file.try_clone_to_owned()?).metadata()?;
        Ok(metadata.is_file().then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }))
    }
}

/// Creates files for output, knowing those that are read.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    read: Vec<FileId>,
    /// Whom root was given up to.
    user: Option<String>,
}

impl Outputs {
    /// Nothing is read yet. `user` is whom root was given up to, if it was.
    pub fn new(user: Option<String>) -> Self {
        Self { read: Vec::new(), user }
    }

    /// `file` is being read: nothing is to be written to it, by whatever name.
    ///
    /// # Errors
    ///
    /// The system cannot say which file it is.
    pub fn reading(&mut self, file: impl AsFd) -> io::Result<()> {
        if let Some(id) = FileId::of(file.as_fd())? {
            self.read.push(id);
        }
        Ok(())
    }

    /// Creates the file, or empties the one that is there.
    ///
    /// # Errors
    ///
    /// It cannot be opened for writing, or is one of those that are read; then nothing of it is lost.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        // Not with `truncate`: whether it may be emptied is known when it is open.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| self.explained(error))?;
        self.allow(&file)?;
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(file)
    }

    /// Creates the file.
    ///
    /// # Errors
    ///
    /// It cannot be created, or is there already.
    pub fn create_new(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| self.explained(error))
    }

    /// Whether files can be created in `folder`.
    ///
    /// # Errors
    ///
    /// They cannot.
    pub fn may_create_in(&self, folder: &Path) -> io::Result<()> {
        unistd::access(folder, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|error| self.explained(error.into()))
    }

    /// Whether `file`, which is open for writing, is none of those that are read.
    ///
    /// # Errors
    ///
    /// It is one of them.
    pub fn allow(&self, file: impl AsFd) -> io::Result<()> {
        match FileId::of(file.as_fd())? {
            Some(id) if self.read.contains(&id) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is being read, under this name or another; name another file",
            )),
            _ => Ok(()),
        }
    }

    /// Says whose rights do not suffice, when they are not those that the program was started with.
    pub(super) fn explained(&self, error: io::Error) -> io::Error {
        match &self.user {
            Some(user) if error.kind() == io::ErrorKind::PermissionDenied => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{}, as {user}: write where that user may, or choose the user with -Z (-Z root stays root)",
                    reason(&error)
                ),
            ),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_that_is_read_is_not_written_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("capture"), "packets").unwrap();
        fs::hard_link(path("capture"), path("hard")).unwrap();
        symlink(path("capture"), path("soft")).unwrap();
        let mut outputs = Outputs::default();
        outputs.reading(File::open(path("capture")).unwrap()).unwrap();
        for name in ["capture", "hard", "soft"] {
            let error = outputs.create(&path(name)).unwrap_err();
            assert!(error.to_string().contains("being read"), "{name}: {error}");
        }
        assert_eq!(fs::read(path("capture")).unwrap(), b"packets");
    }

    #[test]
    fn another_file_is_emptied_and_a_device_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old");
        fs::write(&path, "longer than what comes").unwrap();
        let mut outputs = Outputs::default();
        outputs.reading(File::open("/dev/null").unwrap()).unwrap();
        outputs.create(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert!(outputs.create(Path::new("/dev/null")).is_ok());
        assert_eq!(
            outputs.create_new(&path).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
