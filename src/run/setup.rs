//! What comes before the first packet, for files and interfaces alike.
//!
//! The order is what matters: what needs root is opened, root is given up, and only then is anything read or created.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::output::Output;
use super::redacted::Redacted;
use super::{Error, report};
use crate::base::Timestamp;
use crate::capture::filter::{self, Expression};
use crate::capture::privileges::{self, Identity};
use crate::capture::sandbox::{self, Needs};
use crate::capture::savefile::{Plan, Savefile};
use crate::capture::{Outputs, link_types};
use crate::cli::{FilterText, Options, Redact};
use crate::export::redact::{self, Redaction};
use crate::wire::LinkType;

/// The most that a file of text (`-F`, `-V`) may hold.
const MAX_TEXT: u64 = 16 << 20;

/// A file of text that a flag names: open, and not yet read.
pub(super) struct TextFile {
    flag: &'static str,
    path: PathBuf,
    file: File,
}

impl TextFile {
    /// Opens `path`; `-` is standard input.
    pub(super) fn open(flag: &'static str, path: &Path) -> Result<Self, Error> {
        let file = if path.as_os_str() == "-" {
            io::stdin().as_fd().try_clone_to_owned().map(File::from)
        } else {
            File::open(path)
        };
        Ok(Self {
            flag,
            path: path.to_owned(),
            file: file.map_err(|error| failed(flag, path, &error))?,
        })
    }

    /// The flag and the name, for errors. What is in the file was perhaps opened as root, and is never quoted.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.flag, self.path.display())
    }

    /// Nothing is to be written to it.
    pub(super) fn keep_from(&self, outputs: &mut Outputs) -> Result<(), Error> {
        reading(outputs, &self.file, &self.path)
    }

    /// What it holds.
    pub(super) fn read(&self) -> Result<String, Error> {
        let mut text = String::new();
        let read = (&self.file).take(MAX_TEXT + 1).read_to_string(&mut text);
        read.map_err(|error| failed(self.flag, &self.path, &error))?;
        if text.len() as u64 > MAX_TEXT {
            return Err(Error::new(format!("{}: is larger than {MAX_TEXT} bytes", self.name())));
        }
        Ok(text)
    }
}

fn failed(flag: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(format!("{flag} {}: cannot be read: {error}", path.display()))
}

/// `file` is read: nothing is to be written to it.
pub(super) fn reading(outputs: &mut Outputs, file: impl std::os::fd::AsFd, path: &Path) -> Result<(), Error> {
    outputs
        .reading(file)
        .map_err(|error| Error::new(format!("{}: {error}", path.display())))
}

/// The filter: what was typed, or the file of `-F`, open.
pub(super) enum Filter {
    Typed(String),
    File(TextFile),
}

impl Filter {
    pub(super) fn open(filter: &FilterText) -> Result<Self, Error> {
        match filter {
            FilterText::Expression(text) => Ok(Self::Typed(text.clone())),
            FilterText::File(path) => Ok(Self::File(TextFile::open("-F", path)?)),
        }
    }

    /// Nothing is to be written to its file.
    pub(super) fn keep_from(&self, outputs: &mut Outputs) -> Result<(), Error> {
        match self {
            Self::Typed(_) => Ok(()),
            Self::File(file) => file.keep_from(outputs),
        }
    }

    /// Says so when a file's name was typed where the filter stands.
    pub(super) fn is_no_file(&self) -> Result<(), Error> {
        match self {
            Self::Typed(text) if Path::new(text).is_file() => {
                let compiles = filter::compile(&Expression::typed(text), true, LinkType::ETHERNET, 0);
                compiles.map(drop).map_err(|_| {
                    Error::new(format!(
                        "{text}: is a file, not a filter expression; expected -r {text}"
                    ))
                })
            }
            _ => Ok(()),
        }
    }

    /// The expression. In a file, `#` begins a comment, as in tcpdump's.
    pub(super) fn read(self) -> Result<Expression, Error> {
        match self {
            Self::Typed(text) => Ok(Expression::typed(&text)),
            Self::File(file) => {
                let text = file.read()?;
                let lines: Vec<&str> = text
                    .lines()
                    .map(|line| line.split('#').next().unwrap_or_default())
                    .collect();
                Ok(Expression::from_file(&file.path, &lines.join("\n")))
            }
        }
    }
}

/// The link type that `-y` names; the name is checked even where nothing is captured, as tcpdump does.
pub(super) fn link_type(options: &Options) -> Result<Option<LinkType>, Error> {
    match &options.live.link_type {
        None => Ok(None),
        Some(name) => link_types::from_name(name).map(Some).ok_or_else(|| {
            Error::new(format!(
                "-y {name}: there is no such link type; expected a name such as EN10MB, LINUX_SLL2 or RAW"
            ))
        }),
    }
}

/// What the process may do, before it is given up.
pub(super) struct Rights(Option<Identity>);

impl Rights {
    /// Chooses whom root will be given up to. This comes before anything is opened.
    pub(super) fn choose(options: &Options) -> Result<Self, Error> {
        Ok(Self(Identity::choose(options.user.as_deref())?))
    }

    /// Gives them up. What is opened from here on is opened as the user that is left.
    pub(super) fn give_up(self) -> Result<Outputs, Error> {
        privileges::drop(self.0.as_ref())?;
        Ok(Outputs::new(self.0.map(|identity| identity.name)))
    }
}

/// Creates the file of `-w`, the first one when it rotates.
pub(super) fn savefile(
    options: &Options,
    outputs: &Outputs,
    link: LinkType,
    snaplen: u32,
) -> Result<Option<Savefile>, Error> {
    let Some(write) = &options.write else { return Ok(None) };
    let plan = Plan {
        name: write.name.clone(),
        rotate_bytes: write.rotate_bytes,
        rotate_seconds: write.rotate_seconds,
        files: write.rotate_files,
        post_rotate: write.post_rotate.clone(),
        packet_buffered: options.packet_buffered,
        nano: options.nano,
        snaplen,
        link,
    };
    if let Some(folder) = plan.rotates_in() {
        outputs
            .may_create_in(&folder)
            .map_err(|error| Error::new(format!("-w: no files can be created in {}: {error}", folder.display())))?;
    }
    Ok(Some(Savefile::create(plan, outputs.clone(), now())?))
}

/// Creates the file of `--redact`.
pub(super) fn redacted(redact: &Redact, memory: usize, outputs: &Outputs) -> Result<Redacted, Error> {
    let addresses = redact.addresses.then(random_key).transpose()?;
    Ok(Redacted {
        redaction: Redaction::new(&redact::Options {
            names: redact.names.clone(),
            values: redact.values.clone(),
            addresses,
            memory,
        }),
        output: Output::create("--redact", &redact.output, outputs)?,
    })
}

/// A key that nobody can guess.
fn random_key() -> Result<[u8; 32], Error> {
    let mut key = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut key))
        .map_err(|error| Error::new(format!("/dev/urandom: {error}")))?;
    Ok(key)
}

/// From here on the process can do hardly anything but read packets (from `socket`, in a live capture) and show them.
pub(super) fn enter_sandbox(options: &Options, savefile: Option<&Savefile>, socket: Option<BorrowedFd<'_>>) {
    let missing = match options.write.as_ref().and_then(|write| write.post_rotate.as_ref()) {
        // It would inherit what is in force, and may need anything.
        Some(_) => vec!["sandbox: none, for the command of -z may need anything".to_owned()],
        None => {
            let mut needs = Needs::new();
            needs.interfaces();
            if let Some(socket) = socket {
                needs.listen_on(socket);
            }
            for log in &options.keylogs {
                // One that appears or is replaced is opened later.
                let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty());
                needs.read(folder.unwrap_or(Path::new(".")));
            }
            if options.lines.resolve {
                needs.names();
            }
            if let Some(folder) = savefile.and_then(Savefile::rotates_in) {
                needs.create_in(folder);
            }
            if let Some(extract) = &options.extract {
                needs.create_folders_in(&extract.folder);
            }
            sandbox::enter(&needs)
        }
    };
    if options.lines.verbose > 0 {
        missing.iter().for_each(|line| report(line));
    }
}

/// The view goes to a terminal.
pub(super) fn shows_on_terminal(options: &Options) -> bool {
    options.output.is_none() && io::stdout().is_terminal()
}

/// The clock's time, for names of files; packets bring their own.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
