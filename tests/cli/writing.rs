//! `-w`: what we write is what tcpdump writes, and tshark reads it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::program::{capture, code, large, open_folder, run, stderr, stdout, tcpdump};

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
#[ignore = "needs tcpdump"]
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
#[ignore = "needs tshark"]
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
#[ignore = "needs tcpdump"]
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
#[ignore = "needs tcpdump"]
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
fn what_is_read_is_never_written() {
    let folder = open_folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::copy(capture(), path("x.pcap")).unwrap();
    fs::set_permissions(path("x.pcap"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::hard_link(path("x.pcap"), path("hard")).unwrap();
    std::os::unix::fs::symlink(path("x.pcap"), path("soft")).unwrap();
    fs::write(path("list"), path("x.pcap")).unwrap();
    fs::write(path("filter"), "tcp").unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &fs::read(capture()).unwrap()).unwrap();
    fs::write(path("x.gz"), packed.finish().unwrap()).unwrap();
    for name in ["list", "filter", "x.gz"] {
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let before = files(folder.path());
    for (read, write) in [
        (&["-r", "x.pcap"][..], "x.pcap"),
        (&["-r", "x.pcap"], "hard"),
        (&["-r", "x.pcap"], "soft"),
        (&["-r", "hard"], "soft"),
        (&["-r", "x.gz"], "x.gz"),
        (&["-r", "x.gz", "-r", "x.pcap"], "hard"),
        (&["-V", "list"], "x.pcap"),
        (&["-V", "list"], "list"),
        (&["-r", "x.pcap", "-F", "filter"], "filter"),
    ] {
        let read: Vec<String> = read
            .iter()
            .map(|word| {
                if word.starts_with('-') {
                    (*word).to_owned()
                } else {
                    path(word)
                }
            })
            .collect();
        for flags in [
            vec!["-w".to_owned(), path(write)],
            vec!["-w".to_owned(), path(write), "-C".to_owned(), "1".to_owned()],
            vec!["--force".to_owned(), "--output".to_owned(), path(write)],
        ] {
            let output = run(read.iter().chain(&flags));
            assert_eq!(code(&output), 1, "{read:?} {flags:?}");
            assert!(stderr(&output).contains("is being read"), "{}", stderr(&output));
            assert!(files(folder.path()) == before, "{read:?} {flags:?}");
        }
    }
    // `>> x.pcap` would go on for ever.
    let output = crate::program::command()
        .args(["-r", &path("x.pcap")])
        .stdout(fs::OpenOptions::new().append(true).open(path("hard")).unwrap())
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("standard output: it is being read"),
        "{}",
        stderr(&output)
    );
    assert!(files(folder.path()) == before);
}

#[test]
fn an_output_that_is_there_already_is_kept_unless_forced() {
    let folder = open_folder();
    let path = folder.path().join("view");
    let (file, path) = (capture(), path.to_str().unwrap());
    let write = |more: &[&str]| {
        run(["-r", file.to_str().unwrap(), "--format", "json", "--output", path]
            .iter()
            .chain(more))
    };
    let first = write(&[]);
    assert_eq!((code(&first), stdout(&first)), (0, String::new()), "{}", stderr(&first));
    let told = fs::read(path).unwrap();
    assert_eq!(told, run(["-r", file.to_str().unwrap(), "--format", "json"]).stdout);
    let second = write(&["-c", "1"]);
    assert_eq!(code(&second), 1);
    assert!(stderr(&second).contains("--force"), "{}", stderr(&second));
    assert_eq!(fs::read(path).unwrap(), told);
    assert_eq!(code(&write(&["-c", "1", "--force"])), 0);
    assert_eq!(fs::read(path).unwrap(), b"");
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
