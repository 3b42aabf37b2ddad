//! Filter expressions: compiled by libpcap, run and printed by us.

use std::fs;

use super::program::{capture, code, run, stderr, stdout, tcpdump};

const EXPRESSIONS: &[&str] = &[
    "",
    "port 7272",
    "tcp[13]&8!=0 and greater 100",
    "ip6 and port 443",
    "host 10.0.0.1 or net 127.0.0.0/8 and tcp",
    "len>5 and len%7==3",
    "icmp or arp",
    "tcp[((tcp[12]&0xf0)>>2):4]=0x47455420",
    "portrange 1-60600",
    "(1+2*ip[3]/ip[2])^3|4<<ip[1]>-ip[0]",
    "not (src port 7272 or dst port 55151)",
    "less 80",
];

#[test]
#[ignore = "needs tcpdump"]
fn dumps_are_those_of_tcpdump() {
    for expression in EXPRESSIONS {
        for link in ["EN10MB", "LINUX_SLL", "LINUX_SLL2", "RAW", "NULL", "PPP"] {
            for how in [&["-d"][..], &["-dd"], &["-ddd"], &["-d", "-O"]] {
                let mut arguments = vec!["-y", link];
                arguments.extend(how);
                arguments.push(expression);
                assert_eq!(stdout(&run(&arguments)), stdout(&tcpdump(&arguments)), "{arguments:?}");
            }
        }
        let file = capture();
        let arguments = ["-d", "-r", file.to_str().unwrap(), expression];
        let (ours, theirs) = (run(arguments), tcpdump(arguments));
        assert_eq!(stdout(&ours), stdout(&theirs), "{arguments:?}");
        assert_eq!(stderr(&ours), stderr(&theirs), "{arguments:?}");
    }
}

#[test]
#[ignore = "needs tcpdump"]
fn the_same_packets_match_as_in_tcpdump() {
    let file = capture();
    for expression in EXPRESSIONS {
        for optimize in ["-n", "-O"] {
            let arguments = ["--count", optimize, "-r", file.to_str().unwrap(), expression];
            assert_eq!(
                stdout(&run(arguments)),
                stdout(&tcpdump(arguments)),
                "{expression} {optimize}"
            );
        }
    }
}

#[test]
#[ignore = "needs tcpdump"]
fn a_filter_may_come_from_a_file_and_then_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filter");
    fs::write(&path, "tcp\nand port 60584\n").unwrap();
    let file = capture();
    let arguments = [
        "--count",
        "-F",
        path.to_str().unwrap(),
        "-r",
        file.to_str().unwrap(),
        "udp",
    ];
    let ours = stdout(&run(arguments));
    assert_eq!(ours, stdout(&tcpdump(arguments)));
    assert_ne!(ours, "0 packets\n");
    let missing = run(["-F", "/nonexistent/filter", "-r", file.to_str().unwrap()]);
    assert_eq!(code(&missing), 1);
    assert!(
        stderr(&missing).contains("-F /nonexistent/filter"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn a_filter_that_does_not_compile_is_one_line() {
    let file = capture();
    for expression in [
        "port",
        "tcp and",
        "nonsense",
        "port 99999",
        "vlan 5000",
        "host 1.2.3.4.5",
    ] {
        let output = run(["-r", file.to_str().unwrap(), expression]);
        let line = stderr(&output);
        assert_eq!(code(&output), 1, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(expression) && line.contains("pcap-filter(7)"), "{line}");
    }
    let output = run(["-d", "-y", "NONSENSE", "tcp"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("-y NONSENSE"), "{}", stderr(&output));
}
