//! The command that watches the conversation, to be copied from the terminal or the page.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

const PROGRAM: &str = "wschat-sniff";

/// Where `sudo` looks for programs: its `secure_path` as distributions set it. It does not look into `PATH` then.
const SUDO_FINDS: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// How `wschat-sniff` is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch<'a> {
    /// The port of the chat.
    pub(super) port: u16,
    /// `wschat-sniff`, by its path where its name alone is not found.
    pub(super) program: &'a str,
    /// There is `sudo` here: where there is none, who may capture is root already.
    pub(super) sudo: bool,
    /// The chat is wss.
    pub(super) tls: bool,
    /// Where its secrets are. The command is for root: the file is ours alone, and `wschat-sniff` opens it before it gives
    /// root up.
    pub(super) keylog: Option<&'a Path>,
}

impl Watch<'_> {
    /// Will the command show messages?
    pub(super) fn is_readable(&self) -> bool {
        !self.tls || self.keylog.is_some()
    }
}

impl fmt::Display for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sudo = if self.sudo { "sudo " } else { "" };
        write!(f, "{sudo}{} -i any ", quote(self.program))?;
        if let Some(keylog) = self.keylog {
            write!(f, "--keylog {} ", quote(&keylog.to_string_lossy()))?;
        }
        write!(f, "port {}", self.port)
    }
}

/// `wschat-sniff` as one has to type it behind `sudo`: the one beside this program, such as in `target/release`, by its path,
/// unless it is found without.
pub(super) fn program() -> String {
    let beside = env::current_exe().ok().map(|server| server.with_file_name(PROGRAM));
    beside
        .filter(|path| path.is_file())
        .and_then(|path| command_for(&path, env::var_os("PATH").as_deref()))
        .unwrap_or_else(|| PROGRAM.to_owned())
}

/// Whether `sudo` can be typed here.
pub(super) fn has_sudo() -> bool {
    let search = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&search).any(|folder| folder.join("sudo").is_file())
}

/// `None`: the name will do, or the path cannot be shown.
fn command_for(path: &Path, search: Option<&OsStr>) -> Option<String> {
    let folder = path.parent()?;
    let is_searched = search.is_some_and(|search| env::split_paths(search).any(|searched| searched == folder));
    let is_found = is_searched && SUDO_FINDS.iter().any(|found| Path::new(found) == folder);
    let path = path.to_str().filter(|path| !path.contains(char::is_control))?;
    (!is_found).then(|| path.to_owned())
}

/// For a shell: as it is where nothing needs quotes, else between single quotes (POSIX.1-2024, XCU 2.2.2).
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_copied_into_a_shell() {
        let command = |keylog: &str| {
            let keylog = Some(Path::new(keylog));
            let (port, tls, program) = (7272, true, PROGRAM);
            Watch {
                port,
                program,
                sudo: true,
                tls,
                keylog,
            }
            .to_string()
        };
        for (path, word) in [
            ("/tmp/keys.log", "/tmp/keys.log"),
            ("/tmp/my keys", "'/tmp/my keys'"),
            ("/tmp/it's $HOME", r"'/tmp/it'\''s $HOME'"),
        ] {
            assert_eq!(
                command(path),
                format!("sudo wschat-sniff -i any --keylog {word} port 7272")
            );
        }
        for path in ["/tmp/a;b", "/tmp/it's $HOME `x` \"y\" \\ *?"] {
            let words = command(path).replace("sudo", "printf '%s\n'");
            let shell = std::process::Command::new("sh").args(["-c", &words]).output().unwrap();
            let said = String::from_utf8(shell.stdout).unwrap();
            assert_eq!(said.lines().nth(4), Some(path), "{said}");
        }
    }

    #[test]
    fn a_program_that_sudo_would_not_find_is_named_by_its_path() {
        let search = Some(OsStr::new("/home/me/.cargo/bin:/usr/local/bin:/usr/bin"));
        for (path, search, command) in [
            ("/usr/local/bin/wschat-sniff", search, None),
            (
                "/usr/local/bin/wschat-sniff",
                Some(OsStr::new("/bin")),
                Some("/usr/local/bin/wschat-sniff"),
            ),
            // In PATH, which sudo replaces.
            (
                "/home/me/.cargo/bin/wschat-sniff",
                search,
                Some("/home/me/.cargo/bin/wschat-sniff"),
            ),
            (
                "/src/target/release/wschat-sniff",
                search,
                Some("/src/target/release/wschat-sniff"),
            ),
            ("/src/\u{1b}[31m/wschat-sniff", search, None),
        ] {
            assert_eq!(command_for(Path::new(path), search).as_deref(), command, "{path}");
        }
        let (port, tls, keylog) = (7272, false, None);
        let program = "/my  tools/wschat-sniff";
        for (sudo, before) in [(true, "sudo "), (false, "")] {
            let command = Watch {
                port,
                program,
                sudo,
                tls,
                keylog,
            }
            .to_string();
            assert_eq!(command, format!("{before}'/my  tools/wschat-sniff' -i any port 7272"));
        }
    }
}
