//! Interfaces, which only root may open.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::program::{code, command, open_folder, run, stderr, stdout, tcpdump};

/// A program that captures, listening already.
pub(super) struct Listening {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Listening {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert_ne!(errors.read_line(&mut line).unwrap(), 0, "the capture did not begin");
        }
        Self { child, errors }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Ends it, and returns its exit code, standard output and the rest of standard error.
    pub(super) fn end(mut self, signal: Signal) -> (i32, String, String) {
        // What was sent is to arrive before the signal does.
        thread::sleep(Duration::from_millis(300));
        self.signal(signal);
        let mut errors = String::new();
        self.errors.read_to_string(&mut errors).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (code(&output), stdout(&output), errors)
    }
}

pub(super) fn ours(arguments: &[&str]) -> Listening {
    let mut command = command();
    command.args(arguments);
    Listening::start(command)
}

fn theirs(arguments: &[&str]) -> Listening {
    let mut command = Command::new("tcpdump");
    command.args(arguments);
    Listening::start(command)
}

/// A conversation of a few packets on loopback; returns its port.
fn talk(listener: &TcpListener) {
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"hello").unwrap();
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).unwrap();
    server.write_all(b"there").unwrap();
    client.read_exact(&mut bytes).unwrap();
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let filter = format!("tcp port {}", listener.local_addr().unwrap().port());
    (listener, filter)
}

/// Without the time, which the kernel takes for each socket anew.
fn untimed(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest).to_owned())
        .collect()
}

#[test]
#[ignore = "needs root and tcpdump"]
fn any_shows_the_lines_that_tcpdump_shows_beside_it() {
    for interface in ["any", "lo"] {
        let (listener, filter) = listener();
        let one = ours(&["-n", "-i", interface, "--format", "tcpdump", &filter]);
        let other = theirs(&["-n", "-i", interface, &filter]);
        talk(&listener);
        // tcpdump loses at the end what the kernel has gathered for less than a second.
        thread::sleep(Duration::from_millis(1_500));
        let (code, lines, errors) = one.end(Signal::SIGINT);
        let (_, wanted, their_errors) = other.end(Signal::SIGINT);
        assert_eq!(code, 0, "{errors}");
        assert!(untimed(&lines).len() >= 7, "{lines}");
        assert_eq!(untimed(&lines), untimed(&wanted));
        // What came before the filter was in force counts there, and that is not the same for two programs.
        let counters = |errors: &str| -> Vec<String> {
            let lines = errors.lines().filter(|line| !line.contains("received by filter"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(counters(&errors), counters(&their_errors), "the counters");
    }
}

#[test]
#[ignore = "needs root and tcpdump"]
fn a_packet_is_seen_in_a_pipe_within_a_tenth_of_a_second() {
    let (listener, filter) = listener();
    let mut capture = ours(&["-n", "-i", "lo", "--format", "tcpdump", &filter]);
    let mut lines = BufReader::new(capture.child.stdout.take().unwrap());
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(130));
        let sent = Instant::now();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut line = String::new();
        while !line.contains("Flags [S]") {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        slowest = slowest.max(sent.elapsed());
        drop(client);
    }
    capture.signal(Signal::SIGTERM);
    capture.child.wait().unwrap();
    // A tenth, and something for a machine that does other things as well.
    assert!(slowest < Duration::from_millis(400), "{slowest:?}");
}

#[test]
#[ignore = "needs root and tcpdump"]
fn signals_mean_what_they_mean_to_tcpdump() {
    let folder = open_folder();
    let path = folder.path().join("x.pcap");
    let (listener, filter) = listener();
    let mut capture = ours(&["-i", "lo", "-w", path.to_str().unwrap(), &filter]);
    talk(&listener);
    // `-w` alone lets the kernel gather packets for a second.
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        24,
        "packets are not written one by one"
    );
    capture.signal(Signal::SIGUSR2);
    let begin = Instant::now();
    while fs::metadata(&path).unwrap().len() == 24 {
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "SIGUSR2 did not flush the file"
        );
        thread::sleep(Duration::from_millis(10));
    }
    capture.signal(Signal::SIGUSR1);
    let mut line = String::new();
    capture.errors.read_line(&mut line).unwrap();
    assert!(
        line.starts_with("wschat-sniff: ") && line.contains(" packets captured, "),
        "{line}"
    );
    let (code, _, errors) = capture.end(Signal::SIGTERM);
    assert_eq!(code, 0);
    assert_eq!(errors.lines().count(), 3, "{errors}");
    assert!(errors.ends_with("0 packets dropped by kernel\n"), "{errors}");
    let counted = stdout(&tcpdump(["--count", "-r", path.to_str().unwrap()]));
    assert!(errors.starts_with(counted.trim_end()), "{errors} {counted}");
}

#[test]
#[ignore = "needs root and tcpdump"]
fn root_is_given_up_before_the_first_packet() {
    let status = |capture: &Listening| fs::read_to_string(format!("/proc/{}/status", capture.child.id())).unwrap();
    let field = |status: &str, name: &str| -> String {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once(':')
            .unwrap()
            .1
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let daemon = nix::unistd::User::from_name("daemon").unwrap().unwrap();
    let four = |id: u32| format!("{id} {id} {id} {id}");
    for (arguments, sudo, uid, gid) in [
        (&[][..], None, nobody.uid, nobody.gid),
        (&[], Some("0"), nobody.uid, nobody.gid),
        (&[], Some("1"), daemon.uid, daemon.gid),
        (&["-Z", "daemon"], Some("0"), daemon.uid, daemon.gid),
    ] {
        let mut program = command();
        program.args(["-i", "lo", "port 9"]).args(arguments);
        if let Some(sudo) = sudo {
            program.env("SUDO_UID", sudo).env("SUDO_GID", sudo);
        }
        let capture = Listening::start(program);
        let status = status(&capture);
        assert_eq!(field(&status, "Uid:"), four(uid.as_raw()));
        assert_eq!(field(&status, "Gid:"), four(gid.as_raw()));
        assert!(
            !field(&status, "Groups:").split(' ').any(|group| group == "0"),
            "{status}"
        );
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(field(&status, set), "0000000000000000", "{set}");
        }
        assert_eq!(field(&status, "NoNewPrivs:"), "1");
        assert_eq!(capture.end(Signal::SIGINT).0, 0);
    }
    let capture = ours(&["-i", "lo", "-Z", "root", "port 9"]);
    assert_eq!(field(&status(&capture), "Uid:"), four(0));
    capture.end(Signal::SIGINT);
    let unknown = run(["-i", "lo", "-Z", "no-such-user"]);
    assert_eq!(code(&unknown), 1);
    assert!(stderr(&unknown).contains("-Z no-such-user"), "{}", stderr(&unknown));
}

#[test]
#[ignore = "needs root and tcpdump"]
fn rotation_goes_on_after_root_was_given_up() {
    let folder = open_folder();
    let path = folder.path().join("x");
    let (listener, filter) = listener();
    // A ring of two: the first file, which root has opened, is written again.
    let capture = ours(&[
        "-i",
        "lo",
        "-U",
        "-w",
        path.to_str().unwrap(),
        "-C",
        "1k",
        "-W",
        "2",
        "-Z",
        "daemon",
        &filter,
    ]);
    for _ in 0..8 {
        talk(&listener);
    }
    let (code, _, errors) = capture.end(Signal::SIGINT);
    assert_eq!(code, 0, "{errors}");
    let daemon = nix::unistd::User::from_name("daemon").unwrap().unwrap();
    for name in ["x0", "x1"] {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(
            std::os::unix::fs::MetadataExt::uid(&metadata),
            daemon.uid.as_raw(),
            "{name}"
        );
    }
}

#[test]
#[ignore = "needs root and tcpdump"]
fn without_privilege_there_is_one_line_with_two_ways_out() {
    // A copy, for the one under target/ may lie where others cannot look.
    let folder = open_folder();
    let program = folder.path().join("wschat-sniff");
    fs::copy(env!("CARGO_BIN_EXE_wschat-sniff"), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid", "nobody", "--clear-groups"])
        .arg(&program)
        .args(["-i", "lo"])
        .output()
        .unwrap();
    let line = stderr(&output);
    assert_eq!(code(&output), 1, "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(
        line.contains("sudo") && line.contains("setcap cap_net_raw,cap_net_admin=eip"),
        "{line}"
    );
}

#[test]
#[ignore = "needs root and tcpdump"]
fn lists_are_those_of_tcpdump() {
    assert_eq!(stdout(&run(["-D"])), stdout(&tcpdump(["-D"])));
    for arguments in [&["-L", "-i", "lo"][..], &["-L", "-i", "any"], &["-J", "-i", "lo"]] {
        let (ours, theirs) = (run(arguments), tcpdump(arguments));
        assert_eq!(stderr(&ours), stderr(&theirs), "{arguments:?}");
        assert_eq!(code(&ours), code(&theirs));
    }
}

#[test]
#[ignore = "needs root and tcpdump"]
fn an_interface_that_does_not_exist_is_one_line() {
    for (arguments, wanted) in [
        (&["-i", "nonsense0"][..], "nonsense0"),
        (&["-i", "999"], "-D"),
        (&["-i", "lo", "-y", "RAW"], "EN10MB"),
        (&["-i", "lo", "-y", "NONSENSE"], "-L"),
        (&["-i", "lo", "-j", "nonsense"], "host"),
        (&["-i", "lo", "port", "and"], "pcap-filter(7)"),
    ] {
        let output = run(arguments);
        let line = stderr(&output);
        assert_eq!(code(&output), 1, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(wanted), "{line}");
    }
}

#[test]
#[ignore = "needs root and tcpdump"]
fn a_limit_ends_a_capture() {
    let (listener, filter) = listener();
    let mut capture = ours(&["-n", "-c", "3", "-i", "lo", "--format", "tcpdump", &filter]);
    talk(&listener);
    let mut errors = String::new();
    capture.errors.read_to_string(&mut errors).unwrap();
    let output = capture.child.wait_with_output().unwrap();
    assert_eq!(stdout(&output).lines().count(), 3);
    assert!(errors.starts_with("3 packets captured\n"), "{errors}");
}

#[test]
#[ignore = "needs root"]
fn netfilter_is_waited_for_as_by_tcpdump() {
    for device in ["nflog:5", "nfqueue:5"] {
        let waiting = ours(&["-Z", "root", "-i", device, "-c", "1"]);
        let (code, _, errors) = waiting.end(Signal::SIGINT);
        assert_eq!(code, 0, "{device}: {errors}");
        assert!(errors.starts_with("0 packets captured\n"), "{device}: {errors}");
    }
}
