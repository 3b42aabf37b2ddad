//! The analyzer, live on the loopback interface.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

/// A running `wschat-sniff`; killed when it is dropped.
pub struct Sniffer {
    child: Child,
    output: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Sniffer {
    /// Watches `port`; returns when it listens. `Err` says why it cannot be.
    pub fn start(flags: &[&str], port: u16) -> Result<Self, String> {
        if !Uid::effective().is_root() {
            return Err("capturing needs root".to_owned());
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args(["-i", "lo"])
            .args(flags)
            .args(["port", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&output);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                *lines.lock().unwrap() += &(line + "\n");
            }
        });
        let mut stderr = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut before = String::new();
        if !stderr.any(|line| {
            before += &line;
            line.contains("listening on")
        }) {
            let _ = child.kill();
            let _ = child.wait();
            panic!("wschat-sniff does not listen: {before}");
        }
        std::thread::spawn(move || stderr.for_each(drop));
        Ok(Self {
            child,
            output,
            reader: Some(reader),
        })
    }

    /// What it has printed up to now.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until `done` says that the output is enough.
    pub fn wait_until(&self, what: &str, done: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !done(&self.output.lock().unwrap()) {
            if start.elapsed() > Duration::from_secs(20) {
                panic!("wschat-sniff does not print {what}; it has printed:\n{}", self.output());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ctrl-C; all that it has printed, and its exit code.
    pub fn stop(mut self) -> (String, Option<i32>) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT);
        let code = self.child.wait().unwrap().code();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        (self.output(), code)
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
