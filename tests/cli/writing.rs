//! `-w`: what we write is what tcpdump writes, and tshark reads it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::program::{capture, code, is_root, large, open_folder, run, stderr, stdout, tcpdump};

/// Names and contents of the files in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_file_that_we_write_is_the_one_that_tcpdump_writes() {
    let file = capture();
    for arguments in [&["-n"][..], &["port", "60584"], &["--nano"], &["-c", "7"], &["-U"]] {
        let (ours, theirs) = (open_folder(), open_folder());
        for (folder, program) in [(&ours, true), (&theirs, false)] {
            let path = folder.path().join("x.pcap");
            let mut all = vec!["-r", file.to_str().unwrap(), "-w", path.to_str().unwrap()];
            all.extend(arguments);
            let output = if program { run(&all) } else { tcpdump(&all) };
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            assert!(output.stdout.is_empty());
        }
        assert_eq!(files(ours.path()), files(theirs.path()), "{arguments:?}");
    }
}

#[test]
fn tshark_reads_the_same_packets_times_and_link_type() {
    let folder = open_folder();
    let file = capture();
    for precision in ["--micro", "--nano"] {
        let path = folder.path().join("x.pcap");
        let output = run([precision, "-r", file.to_str().unwrap(), "-w", path.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let fields = |path: &Path| {
            let fields = [
                "frame.number",
                "frame.time_epoch",
                "frame.len",
                "frame.cap_len",
                "frame.encap_type",
                "tcp.seq_raw",
            ];
            let mut command = Command::new("tshark");
            command
                .args(["-n", "-T", "fields"])
                .args(fields.iter().flat_map(|field| ["-e", field]));
            let output = command.arg("-r").arg(path).output().unwrap();
            assert!(output.status.success());
            stdout(&output)
        };
        assert_eq!(fields(&path), fields(&file), "{precision}");
    }
}

#[test]
fn standard_output_takes_packets_and_print_shows_them_as_well() {
    let file = capture();
    let piped = run(["-r", file.to_str().unwrap(), "-w", "-"]);
    assert_eq!(piped.stdout, fs::read(&file).unwrap());
    let folder = open_folder();
    let path = folder.path().join("x.pcap");
    let printed = run([
        "-n",
        "--print",
        "--format=tcpdump",
        "-r",
        file.to_str().unwrap(),
        "-w",
        path.to_str().unwrap(),
    ]);
    assert_eq!(stdout(&printed), stdout(&tcpdump(["-n", "-r", file.to_str().unwrap()])));
    assert_eq!(fs::read(path).unwrap(), fs::read(&file).unwrap());
}

#[test]
fn rotated_files_have_the_names_and_contents_of_tcpdumps() {
    let folder = open_folder();
    let file = large(folder.path(), 3_500_000);
    for arguments in [
        &["-C", "1"][..],
        &["-C", "1", "-W", "2"],
        &["-C", "1", "-W", "1"],
        &["-C", "1", "-W", "12"],
        &["-C", "2", "-z", "true"],
        &["-G", "3600", "-C", "1"],
        &["-G", "3600"],
    ] {
        let (ours, theirs) = (open_folder(), open_folder());
        for (folder, program) in [(&ours, true), (&theirs, false)] {
            // A year, so that midnight does not fail the test.
            let path = folder.path().join("x-%Y.pcap");
            let mut all = vec!["-r", file.to_str().unwrap(), "-w", path.to_str().unwrap()];
            all.extend(arguments);
            let output = if program { run(&all) } else { tcpdump(&all) };
            assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        }
        let (ours, theirs) = (files(ours.path()), files(theirs.path()));
        assert_eq!(
            ours.keys().collect::<Vec<_>>(),
            theirs.keys().collect::<Vec<_>>(),
            "{arguments:?}"
        );
        assert!(ours == theirs, "{arguments:?}: other contents");
    }
}

#[test]
fn the_command_of_z_gets_every_file_that_is_finished() {
    let folder = open_folder();
    let file = large(folder.path(), 2_500_000);
    let path = folder.path().join("x");
    let output = run([
        "-r",
        file.to_str().unwrap(),
        "-w",
        path.to_str().unwrap(),
        "-C",
        "1",
        "-z",
        "echo",
    ]);
    let named = stdout(&output);
    let mut named: Vec<&str> = named.lines().collect();
    named.sort_unstable();
    let name = path.to_str().unwrap().to_owned();
    assert_eq!(named, [name.clone(), format!("{name}1")]);
    let wrong = run([
        "-r",
        file.to_str().unwrap(),
        "-w",
        path.to_str().unwrap(),
        "-C",
        "1",
        "-z",
        "/no/such/tool",
    ]);
    assert_eq!(code(&wrong), 1);
    assert!(stderr(&wrong).contains("-z /no/such/tool"), "{}", stderr(&wrong));
}

#[test]
fn rotation_that_could_not_go_on_without_root_is_an_error_at_the_start() {
    if !is_root() {
        eprintln!("skipped: only root has something to give up");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let outside = open_folder();
    let file = large(outside.path(), 2_500_000);
    let path = folder.path().join("x");
    let arguments = ["-r", file.to_str().unwrap(), "-w", path.to_str().unwrap(), "-C", "1"];
    let output = run(arguments);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("-Z root"), "{}", stderr(&output));
    assert_eq!(code(&run(arguments.iter().chain(&["-Z", "root"]))), 0);
    assert!(path.with_file_name("x2").exists());
}

#[test]
fn what_cannot_be_written_is_one_line() {
    let file = capture();
    let output = run(["-r", file.to_str().unwrap(), "-w", "/no/such/folder/x"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("-w /no/such/folder/x"), "{}", stderr(&output));
    let full = run(["-r", file.to_str().unwrap(), "-w", "/dev/full"]);
    assert_eq!(code(&full), 1);
    assert!(stderr(&full).contains("/dev/full"), "{}", stderr(&full));
}
