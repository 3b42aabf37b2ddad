//! The command that watches the conversation, to be copied from the terminal or the page.

use std::fmt;
use std::path::Path;

/// How `wschat-sniff` is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch<'a> {
    /// The port of the chat.
    pub(super) port: u16,
    /// The chat is wss.
    pub(super) tls: bool,
    /// Where its secrets are. The command is for `sudo`: the file is ours alone, and `wschat-sniff` opens it before it gives
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
        f.write_str("sudo wschat-sniff -i any ")?;
        if let Some(keylog) = self.keylog {
            write!(f, "--keylog {} ", quote(&keylog.to_string_lossy()))?;
        }
        write!(f, "port {}", self.port)
    }
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
            let (port, tls) = (7272, true);
            Watch { port, tls, keylog }.to_string()
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
}
