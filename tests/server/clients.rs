//! Clients that others wrote: Python's `websockets` and npm's `ws` (`tokio-tungstenite` is the one of all other tests here,
//! Chromium that of `tests/browser`). Installed under `target/`; what cannot be installed is skipped, and says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::npm;
use crate::support::Server;

fn folder(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    std::fs::create_dir_all(&target).unwrap();
    target
}

/// Runs a command; `Err` says what it said.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("{name}: {} {}", text(&output.stdout), text(&output.stderr)))
}

#[test]
#[ignore = "needs Python and the network"]
fn python_websockets() {
    let folder = folder("python");
    let python = folder.join("bin/python3");
    let install = || {
        if run(Command::new(&python).args(["-c", "import websockets.asyncio.client"])).is_err() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            run(Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--retries",
                "1",
                "--timeout",
                "10",
                "websockets>=14,<18",
            ]))?;
        }
        Ok(())
    };
    let installed: Result<(), String> = install();
    if let Err(why) = installed {
        return println!("SKIPPED: Python websockets cannot be installed: {why}");
    }
    let server = Server::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/check_chat.py");
    let said = run(Command::new(&python).arg(script).arg(format!("ws://{}/", server.ws)));
    assert_eq!(said, Ok("ok".into()), "{}", server.log());
}

#[test]
#[ignore = "needs Node and the network"]
fn npm_ws() {
    let folder = match npm::installed("ws@8") {
        Ok(folder) => folder,
        Err(why) => return println!("SKIPPED: npm ws cannot be installed: {why}"),
    };
    let server = Server::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/check_chat.mjs");
    let said = run(Command::new("node")
        .arg(script)
        .arg(format!("ws://{}/", server.ws))
        .arg(&folder));
    assert_eq!(said, Ok("ok".into()), "{}", server.log());
}
