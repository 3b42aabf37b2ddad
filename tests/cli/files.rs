//! Captures in files: every format, several at once, damaged ones.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::program::{capture, code, command, open_folder, run, stderr, stdout, tcpdump};

fn lines(file: &Path) -> String {
    let output = run(["-n", "--format", "tcpdump", "-r", file.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}: {}", file.display(), stderr(&output));
    stdout(&output)
}

#[test]
#[ignore = "needs tcpdump"]
fn the_first_line_is_tcpdumps() {
    let file = capture();
    let ours = run(["--count", "-r", file.to_str().unwrap()]);
    let theirs = tcpdump(["--count", "-r", file.to_str().unwrap()]);
    assert_eq!(stderr(&ours), stderr(&theirs));
}

#[test]
#[ignore = "needs tcpdump"]
fn what_is_about_interfaces_is_ignored_with_a_file_as_tcpdump_does() {
    let file = capture();
    for flag in ["-L", "-J"] {
        let ours = run([
            flag,
            "-n",
            "-c",
            "3",
            "--format",
            "tcpdump",
            "-r",
            file.to_str().unwrap(),
        ]);
        let theirs = tcpdump([flag, "-n", "-c", "3", "-r", file.to_str().unwrap()]);
        assert_eq!(stdout(&ours), stdout(&theirs), "{flag}");
        assert_eq!(code(&ours), 0, "{flag}");
    }
}

#[test]
#[ignore = "needs editcap, gzip and zstd"]
fn pcapng_and_compressed_files_are_read_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = lines(&capture());
    let ng = folder.path().join("capture.pcapng");
    let status = Command::new("editcap")
        .args(["-F", "pcapng"])
        .arg(capture())
        .arg(&ng)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(lines(&ng), wanted);
    for (name, file) in [("pcap", capture()), ("pcapng", ng)] {
        for (tool, end) in [("gzip", "gz"), ("zstd", "zst")] {
            let output = Command::new(tool).arg("-c").arg(&file).output().unwrap();
            assert!(output.status.success());
            let packed = folder.path().join(format!("{name}.{end}"));
            fs::write(&packed, &output.stdout).unwrap();
            assert_eq!(lines(&packed), wanted, "{name}.{end}");
        }
        let output = Command::new("bzip2").arg("-c").arg(&file).output();
        if let Ok(output) = output {
            let packed = folder.path().join("packed.bz2");
            fs::write(&packed, output.stdout).unwrap();
            let ours = run(["-r", packed.to_str().unwrap()]);
            assert_eq!(code(&ours), 1);
            assert!(stderr(&ours).contains("bzip2 -dc"), "{}", stderr(&ours));
        }
    }
}

#[test]
#[ignore = "needs zstd"]
fn two_zstd_frames_and_a_skippable_one_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(capture()).unwrap();
    let zstd = |bytes: &[u8]| {
        let mut child = Command::new("zstd")
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let mut packed = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    packed.extend(zstd(&bytes[..5000]));
    packed.extend(zstd(&bytes[5000..]));
    let path = folder.path().join("frames.zst");
    fs::write(&path, packed).unwrap();
    assert_eq!(lines(&path), lines(&capture()));
}

#[test]
#[ignore = "needs tcpdump"]
fn the_other_byte_order_and_nanoseconds_are_read_as_tcpdump_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(capture()).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    for nano in [false, true] {
        let magic: u32 = if nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let mut swapped = magic.to_be_bytes().to_vec();
        swapped.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
        swapped.extend(word(16).to_be_bytes());
        swapped.extend(word(20).to_be_bytes());
        let mut at = 24;
        while at < bytes.len() {
            let captured = word(at + 8);
            let fraction = if nano { word(at + 4) * 1000 + 789 } else { word(at + 4) };
            for value in [word(at), fraction, captured, word(at + 12)] {
                swapped.extend(value.to_be_bytes());
            }
            swapped.extend(&bytes[at + 16..at + 16 + captured as usize]);
            at += 16 + captured as usize;
        }
        let path = folder.path().join(format!("swapped-{nano}.pcap"));
        fs::write(&path, swapped).unwrap();
        for precision in ["--micro", "--nano"] {
            let arguments = ["-n", "-ttt", precision, "-r", path.to_str().unwrap()];
            let ours = run(arguments.iter().chain(&["--format=tcpdump"]));
            assert_eq!(stdout(&ours), stdout(&tcpdump(arguments)), "{nano} {precision}");
        }
    }
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let bytes = fs::read(capture()).unwrap();
    let mut child = command()
        .args(["-n", "--format", "tcpdump", "-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert_eq!(stdout(&child.wait_with_output().unwrap()), lines(&capture()));
}

#[test]
fn what_a_pipe_has_brought_is_shown_before_more_comes() {
    use std::io::Read as _;
    let bytes = fs::read(capture()).unwrap();
    let mut child = command()
        .args(["-n", "--format", "tcpdump", "-c", "2", "-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let first = 24 + 16 + u32::from_le_bytes(bytes[32..36].try_into().unwrap()) as usize;
    pipe.write_all(&bytes[..first]).unwrap();
    // The pipe stays open: without the flush this would wait for ever.
    let mut byte = [0; 1];
    let mut line = Vec::new();
    let output = child.stdout.as_mut().unwrap();
    while byte[0] != b'\n' {
        output.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    assert!(lines(&capture()).as_bytes().starts_with(&line));
    drop(pipe);
    child.wait().unwrap();
}

#[test]
fn several_files_are_one_capture() {
    let file = capture();
    let file = file.to_str().unwrap();
    let once = lines(&capture()).lines().count();
    let twice = run(["-n#", "--format", "tcpdump", "-r", file, "-r", file]);
    let text = stdout(&twice);
    assert_eq!(text.lines().count(), 2 * once);
    assert_eq!(
        text.lines().last().unwrap().split_whitespace().next().unwrap(),
        (2 * once).to_string()
    );

    // What a list names is opened without root.
    let folder = open_folder();
    let list = folder.path().join("list");
    let copy = folder.path().join("copy.pcap");
    fs::copy(file, &copy).unwrap();
    fs::write(&list, format!("{0}\n{0}\n", copy.display())).unwrap();
    assert_eq!(
        stdout(&run(["--count", "-V", list.to_str().unwrap()])),
        format!("{} packets\n", 2 * once)
    );
}

#[test]
fn files_of_different_link_types_are_filtered_each_in_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let packet = etherparse::PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(7272, 5, 6, 7);
    let mut frame = Vec::new();
    packet.write(&mut frame, b"x").unwrap();
    let mut bytes = Vec::new();
    for value in [
        0xa1b2_c3d4u32,
        0x0004_0002,
        0,
        0,
        65_535,
        1,
        1,
        2,
        frame.len() as u32,
        frame.len() as u32,
    ] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(&frame);
    let ethernet = folder.path().join("ethernet.pcap");
    fs::write(&ethernet, bytes).unwrap();
    let cooked = capture();
    let counted = |files: &[&Path]| {
        let mut arguments = vec!["--count"];
        for file in files {
            arguments.extend(["-r", file.to_str().unwrap()]);
        }
        arguments.push("tcp src port 7272");
        stdout(&run(arguments))
    };
    let number = |text: String| -> u64 { text.split(' ').next().unwrap().parse().unwrap() };
    assert_eq!(number(counted(&[&ethernet])), 1);
    assert_eq!(number(counted(&[&cooked, &ethernet])), number(counted(&[&cooked])) + 1);
    let both = run([
        "-w",
        "/dev/null",
        "-r",
        cooked.to_str().unwrap(),
        "-r",
        ethernet.to_str().unwrap(),
    ]);
    assert_eq!(code(&both), 1);
    assert!(stderr(&both).contains("one link type"), "{}", stderr(&both));
}

#[test]
#[ignore = "needs tcpdump"]
fn a_capture_that_ends_inside_a_packet_is_shown_to_its_last_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(capture()).unwrap();
    let whole = lines(&capture());
    for (cut, how) in [(bytes.len() - 10, "inside a packet"), (bytes.len() - 4000, "cut off")] {
        let path = folder.path().join("cut.pcap");
        fs::write(&path, &bytes[..cut]).unwrap();
        let ours = run(["-n", "--format", "tcpdump", "-r", path.to_str().unwrap()]);
        let theirs = tcpdump(["-n", "-r", path.to_str().unwrap()]);
        assert_eq!(stdout(&ours), stdout(&theirs));
        assert!(whole.starts_with(&stdout(&ours)) && !ours.stdout.is_empty());
        assert_eq!(code(&ours), 1);
        let line = stderr(&ours).lines().last().unwrap().to_owned();
        assert!(line.contains(how) && line.contains("whole packets"), "{line}");
        for format in ["trace", "json"] {
            let view = run(["--format", format, "-r", path.to_str().unwrap()]);
            assert_eq!(code(&view), 1);
            assert!(!view.stdout.is_empty());
        }
    }
}

#[test]
fn what_is_no_capture_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "this is not a capture").unwrap();
    let header = folder.path().join("header");
    fs::write(&header, &fs::read(capture()).unwrap()[..20]).unwrap();
    let mut unknown = fs::read(capture()).unwrap();
    unknown[20] = 0x93;
    let link = folder.path().join("link");
    fs::write(&link, unknown).unwrap();
    for (path, wanted) in [
        (folder.path().join("nothing"), "No such file"),
        (folder.path().to_owned(), "directory"),
        (empty, "is empty"),
        (text, "is no capture"),
        (header, "inside its header"),
        (link, "link type"),
    ] {
        let output = run(["-r", path.to_str().unwrap()]);
        let line = stderr(&output);
        assert_eq!(code(&output), 1, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(wanted) && line.contains(path.to_str().unwrap()), "{line}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_key_log_that_is_a_fifo_is_read_before_the_packets() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("keys");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let fixture = |end: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/tls/gnutls.{end}"));
    let [packets, keys] = ["pcap", "keylog"].map(fixture);
    let arguments = ["-n", "--format", "json", "-r", packets.to_str().unwrap(), "--keylog"];
    let writer = std::thread::spawn({
        let (fifo, keys) = (fifo.clone(), keys.clone());
        move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let mut file = fs::OpenOptions::new().write(true).open(fifo).unwrap();
            file.write_all(&fs::read(keys).unwrap()).unwrap();
        }
    });
    let from = |log: &Path| stdout(&run(arguments.into_iter().chain([log.to_str().unwrap()])));
    let told = from(&fifo);
    writer.join().unwrap();
    assert!(told.contains(r#""event":"message""#));
    assert_eq!(told, from(&keys));
}
