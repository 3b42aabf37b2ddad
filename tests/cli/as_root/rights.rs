//! What root is used for, and what it is not used for: outputs are made as the user that root is given up to.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::program::{capture, code, command, is_root, large, open_folder, run, stderr, stdout};

/// The user and group `daemon`.
const DAEMON: u32 = 1;

/// A folder of a user, and in it and around it what that user must not be able to touch through a program that was started as root.
struct Trap {
    folder: tempfile::TempDir,
    /// Files of root's with their contents, which have to survive.
    treasures: Vec<PathBuf>,
    /// Names to give to `-w`.
    names: Vec<PathBuf>,
}

const TREASURE: &[u8] = b"root's";

impl Trap {
    fn set(user: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(path("closed")).unwrap();
        fs::create_dir(path("users")).unwrap();
        for (name, mode) in [("closed/secret", 0o600), ("public", 0o644), ("users/dropped", 0o644)] {
            fs::write(path(name), TREASURE).unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink(path("closed/secret"), path("users/link")).unwrap();
        symlink(path("users/link"), path("users/link-to-link")).unwrap();
        symlink(path("closed/new"), path("users/link-to-nothing")).unwrap();
        // What /dev/null is, but root's alone.
        mknod(
            &path("closed/device"),
            SFlag::S_IFCHR,
            Mode::from_bits_truncate(0o600),
            makedev(1, 3),
        )
        .unwrap();
        symlink(path("closed/device"), path("users/device")).unwrap();
        fs::hard_link(path("public"), path("users/hard")).unwrap();
        chown(path("users"), Some(user), Some(user)).unwrap();
        let treasures = ["closed/secret", "public", "users/dropped"].map(path).to_vec();
        let names = [
            "closed/secret",
            "closed/new",
            "public",
            "users/dropped",
            "users/link",
            "users/link-to-link",
            "users/link-to-nothing",
            "users/hard",
            "users/device",
        ];
        let names = names.map(path).to_vec();
        Self {
            folder,
            treasures,
            names,
        }
    }

    fn users(&self, name: &str) -> PathBuf {
        self.folder.path().join("users").join(name)
    }

    fn check(&self, what: &str) {
        for treasure in &self.treasures {
            assert_eq!(fs::read(treasure).unwrap(), TREASURE, "{what}: {}", treasure.display());
            assert_eq!(
                fs::metadata(treasure).unwrap().uid(),
                0,
                "{what}: {}",
                treasure.display()
            );
        }
        assert!(!self.folder.path().join("closed/new").exists(), "{what}");
        let device = fs::metadata(self.folder.path().join("closed/device")).unwrap();
        assert_eq!((device.uid(), device.mode() & 0o777), (0, 0o600), "{what}");
    }
}

fn write(file: &Path, name: &Path, more: &[&str], sudo: Option<u32>) -> Output {
    let mut command = command();
    if let Some(uid) = sudo {
        command
            .env("SUDO_UID", uid.to_string())
            .env("SUDO_GID", uid.to_string());
    }
    command
        .arg("-r")
        .arg(file)
        .arg("-w")
        .arg(name)
        .args(more)
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs root"]
fn nothing_is_written_that_the_user_could_not_write() {
    assert!(is_root());
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    let source = open_folder();
    let file = large(source.path(), 2_500_000);
    for (sudo, user) in [(None, nobody), (Some(DAEMON), DAEMON), (Some(0), nobody)] {
        let trap = Trap::set(user);
        for more in [&[][..], &["-C", "1"], &["-C", "1", "-W", "2"], &["-G", "1"], &["-U"]] {
            for name in &trap.names {
                // With -W the first file has a number, too.
                let target = match more.contains(&"-W") {
                    true => PathBuf::from(format!("{}0", name.display())),
                    false => name.clone(),
                };
                if target != *name {
                    let _ = symlink(name, &target);
                }
                let output = write(&file, name, more, sudo);
                let what = format!("{sudo:?} {more:?} {}", name.display());
                assert_eq!(code(&output), 1, "{what}");
                assert!(stderr(&output).contains("-Z"), "{what}: {}", stderr(&output));
                trap.check(&what);
            }
        }
        // What the user may write is written, and is that user's.
        let own = trap.users("own");
        for more in [&["-C", "1"][..], &[]] {
            let output = write(&file, &own, more, sudo);
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            assert_eq!(fs::metadata(&own).unwrap().uid(), user);
        }
        assert_eq!(fs::read(&own).unwrap(), fs::read(&file).unwrap());
    }
}

#[test]
#[ignore = "needs root"]
fn the_output_of_a_view_is_the_users_as_well() {
    let trap = Trap::set(DAEMON);
    let view = |name: &Path, more: &[&str]| {
        let mut command = command();
        command.env("SUDO_UID", "1").env("SUDO_GID", "1");
        command
            .arg("-r")
            .arg(capture())
            .arg("--output")
            .arg(name)
            .args(more)
            .output()
            .unwrap()
    };
    for name in &trap.names {
        for more in [&[][..], &["--force"]] {
            assert_eq!(code(&view(name, more)), 1, "{}", name.display());
            trap.check("--output");
        }
    }
    let own = trap.users("view");
    let output = view(&own, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(fs::metadata(&own).unwrap().uid(), DAEMON);
}

#[test]
#[ignore = "needs root"]
fn what_only_root_can_read_is_not_quoted() {
    let folder = open_folder();
    let secret = folder.path().join("secret");
    for text in [
        "hunter2 swordfish",
        "/hunter2/swordfish",
        "host hunter2.swordfish.invalid and",
    ] {
        fs::write(&secret, text).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let file = capture();
        for arguments in [
            &["-r", file.to_str().unwrap(), "-F", secret.to_str().unwrap()][..],
            &["-d", "-F", secret.to_str().unwrap()],
            &["-i", "lo", "-F", secret.to_str().unwrap()],
            &["-V", secret.to_str().unwrap()],
            &["-d", "-V", secret.to_str().unwrap()],
            &["-r", secret.to_str().unwrap()],
            &["-r", file.to_str().unwrap(), "--compare", secret.to_str().unwrap()],
        ] {
            let output = run(arguments);
            let told = stderr(&output) + &stdout(&output);
            assert_eq!(code(&output), 1, "{arguments:?}");
            assert!(
                !told.contains("hunter2") && !told.contains("swordfish"),
                "{arguments:?}: {told}"
            );
            // Nor its first bytes as numbers.
            let begin = text.as_bytes();
            let hex = format!("{:02x} {:02x}", begin[0], begin[1]);
            assert!(!told.contains(&hex), "{arguments:?}: {told}");
            assert!(told.contains("secret"), "{arguments:?}: {told}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn names_in_a_list_are_opened_as_the_user() {
    let folder = open_folder();
    let (list, closed) = (folder.path().join("list"), folder.path().join("closed.pcap"));
    fs::copy(capture(), &closed).unwrap();
    fs::write(&list, format!("{}\n", closed.display())).unwrap();
    for path in [&list, &closed] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let listed = run(["--count", "-V", list.to_str().unwrap()]);
    assert_eq!(code(&listed), 1);
    assert!(
        stderr(&listed).contains("line 1: Permission denied"),
        "{}",
        stderr(&listed)
    );
    // Named by itself it is opened before root is given up, as tcpdump does.
    assert_eq!(
        stdout(&run(["--count", "-r", closed.to_str().unwrap()])),
        "33 packets\n"
    );
    assert_eq!(
        stdout(&run(["--count", "-Z", "root", "-V", list.to_str().unwrap()])),
        "33 packets\n"
    );
}

#[test]
#[ignore = "needs root"]
fn a_key_log_is_read_on_where_only_root_may_look() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let [packets, keys] = ["pcap", "keylog"].map(|end| {
        let copy = folder.path().join(end);
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls");
        fs::copy(fixtures.join(format!("gnutls.{end}")), &copy).unwrap();
        copy.to_str().unwrap().to_owned()
    });
    let messages = |more: &[&str]| {
        let output = run([&["--format", "messages", "-r", &packets, "--keylog", &keys], more].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    let read = messages(&[]);
    assert!(read.contains(" text ") && read == messages(&["-Z", "root"]), "{read}");
}

#[test]
#[ignore = "needs root"]
fn the_command_of_z_has_no_packet_socket() {
    let folder = open_folder();
    let script = folder.path().join("command");
    let told = folder.path().join("told");
    let mut file = File::create(&script).unwrap();
    write!(file, "#!/bin/sh\nls -l /proc/self/fd > {}\n", told.display()).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o755)).unwrap();
    drop(file);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let talking = std::thread::spawn(move || {
        for _ in 0..100 {
            drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
    });
    let name = folder.path().join("x");
    let output = run([
        "-U",
        "-i",
        "lo",
        "-c",
        "60",
        "-w",
        name.to_str().unwrap(),
        "-C",
        "1k",
        "-z",
        script.to_str().unwrap(),
        &format!("tcp port {port}"),
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = fs::read_to_string(told).unwrap();
    assert!(told.contains("/dev/null") && !told.contains("socket:"), "{told}");
    talking.join().unwrap();
}

/// The threads of a process: what /proc says of each.
fn threads(process: u32) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        all.push(fs::read_to_string(entry.unwrap().path().join("status")).unwrap());
    }
    all
}

fn assert_confined(process: u32) {
    for status in threads(process) {
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000"] {
            assert!(status.lines().any(|other| other == line), "{line}: {status}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn every_thread_of_a_capture_is_confined() {
    let capture = super::live::ours(&["-i", "lo", "port 9"]);
    assert_confined(capture.id());
    assert_eq!(capture.end(nix::sys::signal::Signal::SIGINT).0, 0);
}

#[test]
#[ignore = "needs root"]
fn every_thread_that_reads_a_file_is_confined() {
    let folder = open_folder();
    let file = large(folder.path(), 20_000_000);
    // Nobody takes the output: the program waits with all its threads.
    let mut child = command()
        .args(["--format", "json", "-r", file.to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(200));
        if threads(child.id()).len() > 1 {
            break;
        }
    }
    assert!(processors == 1 || threads(child.id()).len() > 1);
    assert_confined(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
}
